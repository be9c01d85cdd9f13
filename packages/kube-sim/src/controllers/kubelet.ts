import { at, isRecord, stringAt, type KubeObject } from '@tiphys/api';
import { isGated } from '../server/kinds/pod.ts';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
import { withCondition, type Condition, type Workbench } from './workbench.ts';

/** How quickly simulated pods live, in milliseconds. */
export type PodTimes = Readonly<{
  /** From scheduled to running, and ready where nothing is against it. */
  startMs: number;
  /** From running to ended, for pods that end (restartPolicy Never or OnFailure). */
  runMs: number;
  /** From deleted to gone. */
  stopMs: number;
}>;

/** Annotations of a pod that steer its simulated life. */
export const outcomeAnnotation = 'sim.tiphys.dev/outcome';
export const durationAnnotation = 'sim.tiphys.dev/duration';

const outcomes = ['succeed', 'fail', 'never-ready', 'crash', 'image-pull-error'] as const;

type Outcome = (typeof outcomes)[number];

const outcomeOf = (pod: KubeObject): Outcome =>
  outcomes.find((known) => known === pod.metadata.annotations?.[outcomeAnnotation]) ?? 'succeed';

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration like `2s` or `1m30s`; undefined when there is none. */
export function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit = 's']) => sum + Number(amount) * (unitsMs[unit] ?? 0),
    0,
  );
}

const records = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : []);

const containersOf = (pod: KubeObject): Record<string, unknown>[] => records(at(pod, 'spec', 'containers'));

/** Whether a pod is one that comes to an end. */
const ends = (pod: KubeObject): boolean => stringAt(pod, 'spec', 'restartPolicy') !== 'Always';

type State = Readonly<Record<string, unknown>>;

type ContainerLook = Readonly<{ state: State; ready: boolean; restarts: number; lastState?: State }>;

const imageOf = (container: Record<string, unknown>): string => stringAt(container, 'image') ?? '';

function containerStatuses(pod: KubeObject, look: ContainerLook): readonly Record<string, unknown>[] {
  const started = 'running' in look.state;
  return containersOf(pod).map((container) => ({
    name: container['name'],
    image: imageOf(container),
    imageID: started ? `simulated://${imageOf(container)}` : '',
    ...(started && { containerID: `simulated://${pod.metadata.uid ?? ''}/${String(container['name'])}` }),
    ready: look.ready,
    started,
    restartCount: look.restarts,
    state: look.state,
    lastState: look.lastState ?? {},
  }));
}

const initStatuses = (pod: KubeObject, now: string): readonly Record<string, unknown>[] =>
  records(at(pod, 'spec', 'initContainers')).map((container) => {
    const sidecar = container['restartPolicy'] === 'Always';
    return {
      name: container['name'],
      image: imageOf(container),
      imageID: `simulated://${imageOf(container)}`,
      containerID: `simulated://${pod.metadata.uid ?? ''}/${String(container['name'])}`,
      ready: true,
      started: sidecar,
      restartCount: 0,
      state: sidecar
        ? { running: { startedAt: now } }
        : { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } },
      lastState: {},
    };
  });

const names = (pod: KubeObject): string =>
  containersOf(pod)
    .map((container) => String(container['name']))
    .join(' ');

function conditionsOf(pod: KubeObject, entries: readonly Condition[], now: string): unknown {
  const observedGeneration = pod.metadata.generation;
  const start: unknown = at(pod, 'status', 'conditions');
  return entries.reduce<unknown>(
    (conditions, entry) => withCondition(conditions, { lastProbeTime: null, observedGeneration, ...entry }, now),
    start,
  );
}

const initialized: Condition = { type: 'Initialized', status: 'True' };
const started: Condition = { type: 'PodReadyToStartContainers', status: 'True' };

function readiness(pod: KubeObject, state: 'ready' | 'unready' | 'completed' | 'failed'): readonly Condition[] {
  if (state === 'ready')
    return [
      { type: 'Ready', status: 'True' },
      { type: 'ContainersReady', status: 'True' },
    ];
  const reason = { unready: 'ContainersNotReady', completed: 'PodCompleted', failed: 'PodFailed' }[state];
  const message = state === 'unready' ? { message: `containers with unready status: [${names(pod)}]` } : {};
  return ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False', reason, ...message }));
}

const gates = (pod: KubeObject): readonly Condition[] =>
  records(at(pod, 'spec', 'readinessGates')).map((gate) => ({ type: String(gate['conditionType']), status: 'True' }));

const baseStatus = (pod: KubeObject): Record<string, unknown> => (isRecord(pod['status']) ? pod['status'] : {});

/** Kinds of nodes that a pod may be put on: ready, schedulable, with the labels that the pod wants. */
function nodeFor(pod: KubeObject, bench: Workbench): KubeObject | undefined {
  const wanted = at(pod, 'spec', 'nodeSelector');
  const fits = (node: KubeObject): boolean =>
    at(node, 'spec', 'unschedulable') !== true &&
    (!isRecord(wanted) || Object.entries(wanted).every(([key, value]) => node.metadata.labels?.[key] === value));
  const nodes = bench.list('nodes').filter(fits);
  const uid = pod.metadata.uid ?? '';
  return nodes[Number.parseInt(uid.slice(0, 4), 16) % Math.max(nodes.length, 1)];
}

/** Labels of a node that its pods are given with the binding. */
const topologyOf = (node: KubeObject): Record<string, string> =>
  Object.fromEntries(
    Object.entries(node.metadata.labels ?? {}).filter(([key]) =>
      ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'].includes(key),
    ),
  );

function schedule(pod: KubeObject, bench: Workbench): Again {
  const node = nodeFor(pod, bench);
  const now = bench.nowText();
  if (node === undefined) {
    const message = `0/${bench.list('nodes').length} nodes are available: node(s) didn't match Pod's node affinity/selector.`;
    const condition: Condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const conditions = conditionsOf(pod, [condition], now);
    bench.updateStatus(pod, { ...baseStatus(pod), conditions }, 'kube-scheduler');
    return 1000;
  }
  const spec = isRecord(pod['spec']) ? pod['spec'] : {};
  const nodeName = node.metadata.name ?? '';
  const conditions = conditionsOf(pod, [{ type: 'PodScheduled', status: 'True' }], now);
  // A binding is no update by anybody: it owns no fields and counts no generation.
  const metadata = { ...pod.metadata, labels: { ...pod.metadata.labels, ...topologyOf(node) } };
  const bound = bench.put({
    ...pod,
    metadata,
    spec: { ...spec, nodeName },
    status: { ...baseStatus(pod), conditions },
  });
  const message = `Successfully assigned ${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''} to ${nodeName}`;
  bench.event(bound, { type: 'Normal', reason: 'Scheduled', message, component: 'default-scheduler' });
  return undefined;
}

/** An address of the pod network that follows from the pod's uid. */
function addressOf(pod: KubeObject): string {
  const number = Number.parseInt((pod.metadata.uid ?? '0').replaceAll('-', '').slice(0, 6), 16);
  return `10.244.${(number >> 8) & 255}.${number & 255 || 1}`;
}

const addresses = (pod: KubeObject, bench: Workbench): Record<string, unknown> => {
  const node = bench.get({ resource: 'nodes', namespace: '', name: stringAt(pod, 'spec', 'nodeName') ?? '' });
  const hostIP = stringAt(node, 'status', 'addresses', 0, 'address') ?? '';
  const podIP = at(pod, 'spec', 'hostNetwork') === true ? hostIP : addressOf(pod);
  return { hostIP, hostIPs: [{ ip: hostIP }], podIP, podIPs: [{ ip: podIP }] };
};

function start(pod: KubeObject, bench: Workbench): void {
  const now = bench.nowText();
  const outcome = outcomeOf(pod);
  const ready = outcome === 'succeed' || outcome === 'fail';
  const conditions = conditionsOf(
    pod,
    [started, initialized, ...readiness(pod, ready ? 'ready' : 'unready'), ...gates(pod)],
    now,
  );
  const init = initStatuses(pod, now);
  const status = {
    ...baseStatus(pod),
    ...addresses(pod, bench),
    phase: 'Running',
    startTime: now,
    observedGeneration: pod.metadata.generation,
    conditions,
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: containerStatuses(pod, { state: { running: { startedAt: now } }, ready, restarts: 0 }),
  };
  const running = bench.updateStatus(pod, status, 'kubelet');
  for (const container of containersOf(pod))
    bench.event(running, {
      type: 'Normal',
      reason: 'Started',
      message: `Container started: ${String(container['name'])}`,
      component: 'kubelet',
    });
}

function failPull(pod: KubeObject, bench: Workbench): void {
  const now = bench.nowText();
  const [image = ''] = containersOf(pod).map(imageOf);
  const message = `Back-off pulling image ${JSON.stringify(image)}`;
  const state = { waiting: { reason: 'ImagePullBackOff', message } };
  const status = {
    ...baseStatus(pod),
    phase: 'Pending',
    startTime: at(pod, 'status', 'startTime') ?? now,
    conditions: conditionsOf(pod, [started, initialized, ...readiness(pod, 'unready')], now),
    containerStatuses: containerStatuses(pod, { state, ready: false, restarts: 0 }),
  };
  const waiting = bench.updateStatus(pod, status, 'kubelet');
  bench.event(waiting, { type: 'Warning', reason: 'BackOff', message, component: 'kubelet' });
}

function finish(pod: KubeObject, bench: Workbench, exitCode: 0 | 1): void {
  const now = bench.nowText();
  const succeeded = exitCode === 0;
  const terminated = {
    exitCode,
    reason: succeeded ? 'Completed' : 'Error',
    startedAt: at(pod, 'status', 'startTime') ?? now,
    finishedAt: now,
  };
  const status = {
    ...baseStatus(pod),
    phase: succeeded ? 'Succeeded' : 'Failed',
    conditions: conditionsOf(pod, readiness(pod, succeeded ? 'completed' : 'failed'), now),
    containerStatuses: containerStatuses(pod, { state: { terminated }, ready: false, restarts: 0 }),
  };
  bench.updateStatus(pod, status, 'kubelet');
}

function crash(pod: KubeObject, bench: Workbench): void {
  const now = bench.nowText();
  const restarts = Number(at(pod, 'status', 'containerStatuses', 0, 'restartCount') ?? 0) + 1;
  const lastState = { terminated: { exitCode: 1, reason: 'Error', startedAt: now, finishedAt: now } };
  const message = `back-off 10s restarting failed container of pod ${pod.metadata.name ?? ''}`;
  const state = { waiting: { reason: 'CrashLoopBackOff', message } };
  const status = {
    ...baseStatus(pod),
    conditions: conditionsOf(pod, readiness(pod, 'unready'), now),
    containerStatuses: containerStatuses(pod, { state, ready: false, restarts, lastState }),
  };
  const crashed = bench.updateStatus(pod, status, 'kubelet');
  bench.event(crashed, { type: 'Warning', reason: 'BackOff', message, component: 'kubelet' });
}

/** The next thing in a pod's life, and when; undefined when nothing more will happen by itself. */
type Next = Readonly<{ afterMs: number; act: () => void }> | undefined;

function nextOf(pod: KubeObject, bench: Workbench, times: PodTimes): Next {
  const duration = parseDuration(pod.metadata.annotations?.[durationAnnotation]);
  const outcome = outcomeOf(pod);
  const phase = stringAt(pod, 'status', 'phase');
  const waiting = stringAt(pod, 'status', 'containerStatuses', 0, 'state', 'waiting', 'reason');
  if (phase === 'Pending') {
    if (waiting === 'ImagePullBackOff') return undefined;
    const startMs = ends(pod) ? times.startMs : (duration ?? times.startMs);
    if (outcome === 'image-pull-error') return { afterMs: times.startMs, act: () => failPull(pod, bench) };
    return { afterMs: startMs, act: () => start(pod, bench) };
  }
  if (phase !== 'Running' || outcome === 'never-ready' || waiting === 'CrashLoopBackOff') return undefined;
  const runMs = duration ?? times.runMs;
  const canEnd = ends(pod) && !(outcome !== 'succeed' && stringAt(pod, 'spec', 'restartPolicy') === 'OnFailure');
  if (canEnd) return { afterMs: runMs, act: () => finish(pod, bench, outcome === 'succeed' ? 0 : 1) };
  // A container that fails under a policy that restarts it ends up in the back-off.
  return outcome === 'succeed' ? undefined : { afterMs: runMs, act: () => crash(pod, bench) };
}

/** Whether somebody else has to act before our scheduler places a pod: another scheduler, or who lifts a gate. */
const waitsForOthers = (pod: KubeObject): boolean =>
  isGated(pod) || (stringAt(pod, 'spec', 'schedulerName') ?? 'default-scheduler') !== 'default-scheduler';

/** The scheduler and the kubelets of all nodes. */
export function kubelet(bench: Workbench, times: PodTimes): Controller {
  // When the present state of a pod was first seen: times in objects are to the second, too coarse for this.
  const seen = new Map<string, Readonly<{ state: string; since: number }>>();
  const elapsed = (key: string, state: string): number => {
    const now = bench.now().getTime();
    const before = seen.get(key);
    if (before?.state === state) return now - before.since;
    seen.set(key, { state, since: now });
    return 0;
  };
  return {
    name: 'kubelet',
    concerns: ({ resource, object }) =>
      resource === 'pods' ? [keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')] : [],
    reconcile: (key) => {
      const pod = bench.get({ resource: 'pods', ...splitKey(key) });
      if (pod === undefined) {
        seen.delete(key);
        return undefined;
      }
      const { uid = '', deletionTimestamp } = pod.metadata;
      if (deletionTimestamp !== undefined) {
        const left = times.stopMs - elapsed(key, `${uid} stopping`);
        if (left > 0) return left;
        bench.remove(pod, { gracePeriodSeconds: 0 });
        return undefined;
      }
      if ((stringAt(pod, 'spec', 'nodeName') ?? '') === '')
        return waitsForOthers(pod) ? undefined : schedule(pod, bench);
      const next = nextOf(pod, bench, times);
      if (next === undefined) return undefined;
      const left = next.afterMs - elapsed(key, `${uid} ${stringAt(pod, 'status', 'phase') ?? ''}`);
      if (left > 0) return left;
      next.act();
      return undefined;
    },
  };
}
