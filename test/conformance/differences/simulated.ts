import { at, listAt, numberAt, stringAt } from '@tiphys/api';
import {
  condition,
  create,
  happensOn,
  podOf,
  seenOnce,
  told,
  untilGone,
  untilSeen,
  within,
  type Difference,
  type See,
} from './difference.ts';

/** What the stand-ins of the real control plane do as well is seen on both alike. */
const alike = (key: string, see: See, both: unknown): Difference => ({ key, see, real: both, embedded: both });

const isReady = (pod: unknown): string | undefined => {
  const ready = condition(pod, 'Ready');
  return ready?.startsWith('Ready=True') === true ? ready : undefined;
};

async function scheduled(pod: Record<string, unknown>, place: Parameters<See>[0]): Promise<string> {
  await create(place, within(place, 'pods'), pod);
  return untilSeen(place, within(place, 'pods', 'big'), (body) => {
    const refused = condition(body, 'PodScheduled') === 'PodScheduled=False Unschedulable';
    return refused ? 'Unschedulable' : isReady(body);
  });
}

const failing = { exec: { command: ['false'] } };

/** How often a container was restarted that waits to be so again. */
const restartsOf = (pod: unknown): number | undefined => {
  const status = at(pod, 'status', 'containerStatuses', 0);
  const isWaiting = stringAt(status, 'state', 'waiting', 'reason') === 'CrashLoopBackOff';
  return isWaiting ? (numberAt(status, 'restartCount') ?? 0) : undefined;
};

/** Texts of events about an object, without those of the scheduler. */
const eventsAbout = (body: unknown): readonly string[] =>
  listAt(body, 'items')
    .filter((event) => stringAt(event, 'reason') !== 'Scheduled')
    .map((event) => `${stringAt(event, 'reason') ?? ''}: ${stringAt(event, 'message') ?? ''}`)
    .toSorted();

export const simulated: readonly Difference[] = [
  alike(
    'no-containers',
    async (place) => {
      const spec = { initContainers: [{ name: 'first', image: 'nowhere.invalid/none', command: ['false'] }] };
      await create(place, within(place, 'pods'), podOf('p', { spec, container: { readinessProbe: failing } }));
      return untilSeen(place, within(place, 'pods', 'p'), isReady);
    },
    'Ready=True',
  ),
  {
    key: 'scheduler',
    see: (place) => scheduled(podOf('big', { container: { resources: { requests: { cpu: '1000' } } } }), place),
    real: 'Unschedulable',
    embedded: 'Ready=True',
  },
  {
    key: 'crash-once',
    see: async (place) => {
      const pods = within(place, 'pods');
      await create(place, pods, podOf('p', { annotations: { 'sim.tiphys.dev/outcome': 'crash' } }));
      const isAgain = (restarts: number): boolean => restarts > 1;
      const restarts = (): Promise<number> => untilSeen(place, `${pods}/p`, restartsOf);
      return isAgain(await seenOnce(restarts, isAgain, happensOn(place, 'real'))) ? 'again and again' : 'once';
    },
    real: 'again and again',
    embedded: 'once',
  },
  alike(
    'gone-at-once',
    async (place) => {
      const path = within(place, 'pods', 'p');
      await create(place, within(place, 'pods'), podOf('p', { spec: { terminationGracePeriodSeconds: 600 } }));
      await untilSeen(place, path, isReady);
      await place.call({ method: 'DELETE', path });
      await untilGone(place, path);
      return 'gone';
    },
    'gone',
  ),
  {
    key: 'kubelet-events',
    see: async (place) => {
      const pods = within(place, 'pods');
      await create(place, pods, podOf('p', { annotations: { 'sim.tiphys.dev/outcome': 'crash' } }));
      await untilSeen(place, `${pods}/p`, restartsOf);
      return untilSeen(place, within(place, 'events'), (body) => {
        const texts = eventsAbout(body);
        return texts.some((text) => text.startsWith('BackOff')) ? texts : undefined;
      });
    },
    real: ['BackOff: Back-off restarting failed container'],
    embedded: ['BackOff: back-off 10s restarting failed container of pod p', 'Started: Container started: main'],
  },
  {
    key: 'logs',
    see: async (place) => {
      const path = within(place, 'pods', 'p');
      await create(place, within(place, 'pods'), podOf('p'));
      await untilSeen(place, path, isReady);
      const { code, body } = await place.call({ method: 'GET', path: `${path}/log` });
      return code === 200 ? body : code;
    },
    real: 404,
    embedded: 'pods are simulated: container main of p runs nothing and writes no log\n',
  },
  {
    key: 'exec',
    see: async (place) => {
      const path = within(place, 'pods', 'p');
      await create(place, within(place, 'pods'), podOf('p'));
      await untilSeen(place, path, isReady);
      const ask = async (subresource: string): Promise<string> =>
        told(await place.call({ method: 'POST', path: `${path}/${subresource}` }));
      const proxied = await place.call({ method: 'GET', path: `${within(place, 'pods', 'none')}/proxy/` });
      return [
        await ask('exec?command=ls&stdout=1'),
        await ask('attach?stdout=1'),
        await ask('portforward'),
        told(proxied),
      ];
    },
    real: [...Array.from({ length: 3 }, () => '400 Upgrade request required'), '404 pods "none" not found'],
    embedded: ['exec', 'attach', 'portforward', 'proxy'].map(
      (what) => `405 ${what} of a simulated pod is not supported on resources of kind "pods"`,
    ),
  },
  alike(
    'addresses',
    async (place) => {
      const services = within(place, 'services');
      const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] };
      const annotations = { 'sim.tiphys.dev/address': 'none' };
      await create(place, services, { metadata: { name: 'without', annotations }, spec });
      await create(place, services, { metadata: { name: 'with' }, spec });
      const ip = (body: unknown): string | undefined => stringAt(body, 'status', 'loadBalancer', 'ingress', 0, 'ip');
      const given = await untilSeen(place, `${services}/with`, ip);
      const { body } = await place.call({ method: 'GET', path: `${services}/without` });
      return [/^198\.(?:18|19)\./.test(given), ip(body) ?? 'none'];
    },
    [true, 'none'],
  ),
  alike(
    'volumes',
    async (place) => {
      const claims = within(place, 'persistentvolumeclaims');
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
      await create(place, claims, { metadata: { name: 'c' }, spec });
      const isBound = (body: unknown): string | undefined =>
        stringAt(body, 'status', 'phase') === 'Bound' ? stringAt(body, 'spec', 'storageClassName') : undefined;
      return untilSeen(place, `${claims}/c`, isBound);
    },
    'standard',
  ),
];
