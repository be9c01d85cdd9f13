import { at, listAt, numberAt, stringAt } from '@tiphys/api';
import {
  create,
  happensOn,
  merge,
  podOf,
  seenOnce,
  template,
  untilGone,
  untilSeen,
  stillMs,
  within,
  type Agreement,
  type Difference,
  type Place,
} from './difference.ts';

/** A request for the certificate of a kubelet; its key was thrown away. */
const nodeRequest = `-----BEGIN CERTIFICATE REQUEST-----
MIH0MIGbAgEAMDkxFTATBgNVBAoMDHN5c3RlbTpub2RlczEgMB4GA1UEAwwXc3lz
dGVtOm5vZGU6ZGlmZmVyZW5jZXMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATK
6uiFjJVDfa1haGQG7c4STIyvQ7CACgBfAMDmF84YKT6EyGyyaV5cqqXU3D7YzCQj
mi9lT+AJHpsQXL24x4FjoAAwCgYIKoZIzj0EAwIDSAAwRQIhANqQoItH3sRgi4EP
gqBX/GkDUL1Nf1/cnm5PKMRk4M3DAiAz2uwFqyHlJ9pA39/b15q3z2Mf0j0eL5Nw
0Va2cYejdA==
-----END CERTIFICATE REQUEST-----
`;

const selector = { matchLabels: { app: 'x' } };

/** The outcome of a check, and nothing left of it that is not in the place's namespace. */
async function withCleanUp<T>(place: Place, path: string, see: () => Promise<T>): Promise<T> {
  try {
    return await see();
  } finally {
    await place.call({ method: 'DELETE', path });
  }
}

/** Which claims of a StatefulSet are left, once it is scaled down and once it is gone. */
async function claimsLeft(place: Place, policy: Readonly<{ whenScaled: string; whenDeleted: string }>) {
  const sets = within(place, 'apps/v1 statefulsets');
  const name = `${policy.whenScaled}-${policy.whenDeleted}`.toLowerCase();
  const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const spec = {
    ...{ replicas: 2, podManagementPolicy: 'Parallel', serviceName: 's', selector, template: template() },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
    persistentVolumeClaimRetentionPolicy: policy,
  };
  const has = async (ordinal: number): Promise<boolean> => {
    const path = within(place, 'persistentvolumeclaims', `data-${name}-${ordinal}`);
    const { code, body } = await place.call({ method: 'GET', path });
    return code === 200 && at(body, 'metadata', 'deletionTimestamp') === undefined;
  };
  const left = async (): Promise<readonly number[]> => {
    const found = [await has(0), await has(1)];
    return [0, 1].filter((ordinal) => found[ordinal]);
  };
  // What is to be kept is given a while to go.
  const settled = (then: string, count: number): Promise<readonly number[]> =>
    then === 'Delete' ? seenOnce(left, (found) => found.length <= count) : seenOnce(left, () => false, stillMs);
  await create(place, sets, { metadata: { name }, spec });
  await untilSeen(place, `${sets}/${name}`, (body) => numberAt(body, 'status', 'readyReplicas') === 2 || undefined);
  await place.call(merge(`${sets}/${name}`, { spec: { replicas: 1 } }));
  await untilSeen(place, `${sets}/${name}`, (body) => numberAt(body, 'status', 'replicas') === 1 || undefined);
  const scaled = await settled(policy.whenScaled, 1);
  await place.call({ method: 'DELETE', path: `${sets}/${name}` });
  await untilGone(place, within(place, 'pods', `${name}-0`));
  return [scaled, await settled(policy.whenDeleted, 0)];
}

export const controllerAgreements: readonly Agreement[] = [
  {
    what: 'which claims of a StatefulSet are kept',
    see: async (place) => [
      await claimsLeft(place, { whenScaled: 'Retain', whenDeleted: 'Retain' }),
      await claimsLeft(place, { whenScaled: 'Delete', whenDeleted: 'Retain' }),
      await claimsLeft(place, { whenScaled: 'Retain', whenDeleted: 'Delete' }),
    ],
    both: [
      [
        [0, 1],
        [0, 1],
      ],
      [[0], [0]],
      [[0, 1], []],
    ],
  },
];

export const controllers: readonly Difference[] = [
  {
    key: 'node-lifecycle',
    see: async (place) => {
      const node = `/api/v1/nodes/${place.namespace}`;
      const spec = { taints: [{ key: 'own', effect: 'NoExecute' }] };
      const { body } = await create(place, '/api/v1/nodes', { metadata: { name: place.namespace }, spec });
      return withCleanUp(place, node, async () => {
        await create(place, within(place, 'pods'), podOf('p', { spec: { nodeName: place.namespace } }));
        const stays = async (): Promise<boolean> => {
          const pod = await place.call({ method: 'GET', path: within(place, 'pods', 'p') });
          return pod.code === 200 && at(pod.body, 'metadata', 'deletionTimestamp') === undefined;
        };
        const taints = listAt(body, 'spec', 'taints').map((taint) => stringAt(taint, 'key'));
        return { taints, pod: await seenOnce(stays, (isThere) => !isThere, happensOn(place, 'real')) };
      });
    },
    real: { taints: ['own', 'node.kubernetes.io/not-ready'], pod: false },
    embedded: { taints: ['own'], pod: true },
  },
  {
    key: 'certificates',
    see: async (place) => {
      const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
      const path = `${requests}/${place.namespace}`;
      await create(place, requests, {
        metadata: { name: place.namespace },
        spec: {
          request: Buffer.from(nodeRequest).toString('base64'),
          signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
          usages: ['digital signature', 'client auth'],
        },
      });
      return withCleanUp(place, path, async () => {
        const conditions = async (): Promise<readonly unknown[]> => {
          const { body } = await place.call({ method: 'GET', path });
          return listAt(body, 'status', 'conditions').map((one) => stringAt(one, 'type'));
        };
        return seenOnce(conditions, ({ length }) => length > 0, happensOn(place, 'real'));
      });
    },
    real: ['Approved'],
    embedded: [],
  },
  {
    key: 'aggregated-apis',
    see: async (place) => {
      const services = '/apis/apiregistration.k8s.io/v1/apiservices';
      const group = `${place.namespace}.example.com`;
      const path = `${services}/v1.${group}`;
      const service = { name: 'none', namespace: place.namespace };
      const more = { groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true };
      const spec = { group, version: 'v1', service, ...more };
      await create(place, services, { metadata: { name: `v1.${group}` }, spec });
      return withCleanUp(place, path, async () => {
        const answers = async (): Promise<readonly [reason: string, code: number]> => {
          const { body } = await place.call({ method: 'GET', path });
          const things = await place.call({ method: 'GET', path: `/apis/${group}/v1/things` });
          return [stringAt(body, 'status', 'conditions', 0, 'reason') ?? '', things.code];
        };
        const isKnown = ([reason, code]: readonly [string, number]): boolean => reason !== '' && code !== 404;
        return seenOnce(answers, isKnown, happensOn(place, 'real'));
      });
    },
    real: ['ServiceNotFound', 503],
    embedded: ['', 404],
  },
  {
    key: 'metrics',
    see: async (place) => {
      const deployments = within(place, 'apps/v1 deployments');
      const container = { resources: { requests: { cpu: '1' } } };
      await create(place, deployments, {
        metadata: { name: 'd' },
        spec: { replicas: 1, selector, template: template({ container }) },
      });
      const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 40 } };
      await create(place, within(place, 'autoscaling/v2 horizontalpodautoscalers'), {
        metadata: { name: 'a', annotations: { 'sim.tiphys.dev/cpu-utilization': '80' } },
        spec: {
          maxReplicas: 4,
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
          metrics: [{ type: 'Resource', resource }],
        },
      });
      const isScaled = async (): Promise<boolean> => {
        const { body } = await place.call({ method: 'GET', path: `${deployments}/d` });
        return (numberAt(body, 'spec', 'replicas') ?? 0) > 1;
      };
      return (await seenOnce(isScaled, Boolean, happensOn(place, 'embedded'))) ? 'scaled' : 'kept';
    },
    real: 'kept',
    embedded: 'scaled',
  },
  {
    key: 'refused-pods',
    see: async (place) => {
      const quotas = within(place, 'resourcequotas');
      await create(place, quotas, { metadata: { name: 'q' }, spec: { hard: { pods: '0' } } });
      await untilSeen(place, `${quotas}/q`, (body) => at(body, 'status', 'hard'));
      const replicaSets = within(place, 'apps/v1 replicasets');
      await create(place, replicaSets, {
        metadata: { name: 'r' },
        spec: { replicas: 1, selector, template: template() },
      });
      const tries = async (): Promise<number> => {
        const { body } = await place.call({ method: 'GET', path: within(place, 'events') });
        const refused = listAt(body, 'items').filter((event) => stringAt(event, 'reason') === 'FailedCreate');
        return refused.reduce<number>((sum, event) => sum + (numberAt(event, 'count') ?? 1), 0);
      };
      const isAgain = (count: number): boolean => count > 3;
      return isAgain(await seenOnce(tries, isAgain, happensOn(place, 'real')))
        ? 'again and again, more and more slowly'
        : 'once in 1.5 s';
    },
    real: 'again and again, more and more slowly',
    embedded: 'once in 1.5 s',
  },
  {
    key: 'hashes',
    see: async (place) => {
      const spec = { replicas: 0, selector, template: template() };
      await create(place, within(place, 'apps/v1 deployments'), { metadata: { name: 'd' }, spec });
      const name = (body: unknown): string | undefined => stringAt(body, 'items', 0, 'metadata', 'name');
      return untilSeen(place, within(place, 'apps/v1 replicasets'), name);
    },
    real: 'd-757f746756',
    embedded: 'd-49f8bdd74x',
  },
];
