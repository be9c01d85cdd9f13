import { at, isRecord, type KubeObject } from '@tiphys/api';
import {
  age,
  ageText,
  computed,
  containerColumns,
  count,
  countOf,
  durationText,
  labelsText,
  name,
  records,
  selectorText,
  text,
  textOf,
  wide,
  type Column,
} from './column.ts';

type Status = Record<string, unknown>;

const waitingReason = (status: Status): string => textOf(at(status, 'state', 'waiting', 'reason'));

function terminatedReason(status: Status): string {
  const terminated = at(status, 'state', 'terminated');
  const reason = textOf(at(terminated, 'reason'));
  if (reason !== '') return reason;
  const signal = countOf(at(terminated, 'signal'));
  return signal === 0 ? `ExitCode:${countOf(at(terminated, 'exitCode'))}` : `Signal:${signal}`;
}

const isTerminated = (status: Status): boolean => isRecord(at(status, 'state', 'terminated'));

const isUp = (status: Status): boolean => status['ready'] === true && isRecord(at(status, 'state', 'running'));

const hasCondition = (object: KubeObject, type: string): boolean =>
  records(at(object, 'status', 'conditions')).some((entry) => entry['type'] === type && entry['status'] === 'True');

/** What keeps a pod in initialisation, or undefined when nothing does. */
function initReason(pod: KubeObject): string | undefined {
  const total = records(at(pod, 'spec', 'initContainers')).length;
  const pending = records(at(pod, 'status', 'initContainerStatuses'))
    .map((status, index) => ({ status, index }))
    .find(({ status }) => countOf(at(status, 'state', 'terminated', 'exitCode')) !== 0 || !isTerminated(status));
  if (pending === undefined) return undefined;
  if (isTerminated(pending.status)) return `Init:${terminatedReason(pending.status)}`;
  const waiting = waitingReason(pending.status);
  if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
  return `Init:${pending.index}/${total}`;
}

function containerReason(pod: KubeObject, phase: string): string {
  let [reason, failure] = [phase, ''];
  let running = false;
  for (const status of records(at(pod, 'status', 'containerStatuses')).reverse()) {
    const waiting = waitingReason(status);
    if (waiting !== '') reason = waiting;
    else if (isTerminated(status)) {
      reason = terminatedReason(status);
      if (countOf(at(status, 'state', 'terminated', 'exitCode')) !== 0) failure = reason;
    } else if (isUp(status)) running = true;
  }
  if (reason !== 'Completed') return reason;
  if (running && hasCondition(pod, 'Ready')) return 'Running';
  if (failure !== '') return failure;
  return running ? 'NotReady' : reason;
}

/** The STATUS cell of a pod: the most telling of phase, container states and deletion. */
function podReason(pod: KubeObject): string {
  const phase = textOf(at(pod, 'status', 'phase'));
  if (pod.metadata.deletionTimestamp !== undefined && phase !== 'Succeeded' && phase !== 'Failed') return 'Terminating';
  const start = textOf(at(pod, 'status', 'reason'), phase);
  return initReason(pod) ?? containerReason(pod, start);
}

function restartsText(pod: KubeObject, now: Date): string {
  const statuses = records(at(pod, 'status', 'containerStatuses'));
  const restarts = statuses.reduce((sum, status) => sum + countOf(status['restartCount']), 0);
  const last = statuses.map((status) => textOf(at(status, 'lastState', 'terminated', 'finishedAt'))).sort();
  const latest = last.at(-1) ?? '';
  return restarts === 0 || latest === '' ? String(restarts) : `${restarts} (${ageText(latest, now)} ago)`;
}

const readyText = (pod: KubeObject): string => {
  const up = records(at(pod, 'status', 'containerStatuses')).filter(isUp).length;
  return `${up}/${records(at(pod, 'spec', 'containers')).length}`;
};

function gatesText(pod: KubeObject): string {
  const gates = records(at(pod, 'spec', 'readinessGates'));
  if (gates.length === 0) return '<none>';
  return `${gates.filter((gate) => hasCondition(pod, textOf(gate['conditionType']))).length}/${gates.length}`;
}

export const pods: readonly Column[] = [
  name,
  computed('Ready', readyText),
  computed('Status', podReason),
  computed('Restarts', restartsText),
  age,
  wide(computed('IP', (pod) => textOf(at(pod, 'status', 'podIPs', 0, 'ip'), '<none>'))),
  wide(computed('Node', (pod) => textOf(at(pod, 'spec', 'nodeName'), '<none>'))),
  wide(computed('Nominated Node', (pod) => textOf(at(pod, 'status', 'nominatedNodeName'), '<none>'))),
  wide(computed('Readiness Gates', gatesText)),
];

const selector = wide(computed('Selector', (object) => selectorText(at(object, 'spec', 'selector'))));

const outOf = (title: string, done: string): Column =>
  computed(title, (object) => `${countOf(at(object, 'status', done))}/${textOf(at(object, 'spec', 'replicas'), '1')}`);

const containers = containerColumns('spec', 'template');

export const deployments: readonly Column[] = [
  name,
  outOf('Ready', 'readyReplicas'),
  { ...count('Up-to-date', 'status', 'updatedReplicas'), type: 'string' },
  { ...count('Available', 'status', 'availableReplicas'), type: 'string' },
  age,
  ...containers,
  selector,
];

export const replicaSets: readonly Column[] = [
  name,
  count('Desired', 'spec', 'replicas'),
  count('Current', 'status', 'replicas'),
  count('Ready', 'status', 'readyReplicas'),
  age,
  ...containers,
  selector,
];

export const statefulSets: readonly Column[] = [name, outOf('Ready', 'readyReplicas'), age, ...containers];

export const daemonSets: readonly Column[] = [
  name,
  count('Desired', 'status', 'desiredNumberScheduled'),
  count('Current', 'status', 'currentNumberScheduled'),
  count('Ready', 'status', 'numberReady'),
  count('Up-to-date', 'status', 'updatedNumberScheduled'),
  count('Available', 'status', 'numberAvailable'),
  computed('Node Selector', (object) => labelsText(at(object, 'spec', 'template', 'spec', 'nodeSelector'))),
  age,
  ...containers,
  selector,
];

function completionsText(job: KubeObject): string {
  const succeeded = countOf(at(job, 'status', 'succeeded'));
  const completions = at(job, 'spec', 'completions');
  if (completions !== undefined && completions !== null) return `${succeeded}/${textOf(completions)}`;
  const parallelism = countOf(at(job, 'spec', 'parallelism'));
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

const jobStates: readonly (readonly [condition: string, text: string])[] = [
  ['Complete', 'Complete'],
  ['Failed', 'Failed'],
  ['Suspended', 'Suspended'],
  ['FailureTarget', 'FailureTarget'],
  ['SuccessCriteriaMet', 'SuccessCriteriaMet'],
];

function jobStatus(job: KubeObject): string {
  const state = jobStates.find(([condition]) => hasCondition(job, condition))?.[1];
  if (state === 'Complete' || state === 'Failed') return state;
  return job.metadata.deletionTimestamp === undefined ? (state ?? 'Running') : 'Terminating';
}

function jobDuration(job: KubeObject, now: Date): string {
  const start = at(job, 'status', 'startTime');
  if (typeof start !== 'string') return '';
  const end = at(job, 'status', 'completionTime');
  const until = typeof end === 'string' ? new Date(end) : now;
  return durationText(until.getTime() - new Date(start).getTime());
}

export const jobs: readonly Column[] = [
  name,
  computed('Status', jobStatus),
  computed('Completions', completionsText),
  computed('Duration', jobDuration),
  age,
  ...containers,
  selector,
];

export const cronJobs: readonly Column[] = [
  name,
  text('Schedule', 'spec', 'schedule'),
  computed('Timezone', (object) => textOf(at(object, 'spec', 'timeZone'), '<none>')),
  {
    ...computed('Suspend', (object) => (at(object, 'spec', 'suspend') === true ? 'True' : 'False')),
    type: 'boolean',
  },
  { ...computed('Active', (object) => records(at(object, 'status', 'active')).length), type: 'integer' },
  computed('Last Schedule', (object, now) => {
    const last = at(object, 'status', 'lastScheduleTime');
    return last === undefined ? '<none>' : ageText(last, now);
  }),
  age,
  ...containerColumns('spec', 'jobTemplate', 'spec', 'template'),
  wide(computed('Selector', (object) => selectorText(at(object, 'spec', 'jobTemplate', 'spec', 'selector')))),
];

export const autoscalers: readonly Column[] = [
  name,
  computed(
    'Reference',
    (o) => `${textOf(at(o, 'spec', 'scaleTargetRef', 'kind'))}/${textOf(at(o, 'spec', 'scaleTargetRef', 'name'))}`,
  ),
  computed('Targets', autoscalerTargets),
  computed('MinPods', (object) => textOf(at(object, 'spec', 'minReplicas'), '<unset>')),
  { ...count('MaxPods', 'spec', 'maxReplicas'), type: 'string' },
  { ...count('Replicas', 'status', 'currentReplicas'), type: 'string' },
  age,
];

function autoscalerTargets(object: KubeObject): string {
  const metrics = records(at(object, 'spec', 'metrics'));
  if (metrics.length === 0) return '<none>';
  const texts = metrics.map((metric) => {
    const utilization = at(metric, 'resource', 'target', 'averageUtilization');
    if (utilization !== undefined)
      return `${textOf(at(metric, 'resource', 'name'))}: <unknown>/${textOf(utilization)}%`;
    const source = Object.values(metric).find(isRecord);
    const target = textOf(at(source, 'target', 'averageValue'), textOf(at(source, 'target', 'value')));
    const named = textOf(metric['type']) === 'Resource' ? `${textOf(at(metric, 'resource', 'name'))}: ` : '';
    return `${named}<unknown>/${target}`;
  });
  const shown = texts.slice(0, 2).join(', ');
  return texts.length > 2 ? `${shown} + ${texts.length - 2} more...` : shown;
}
