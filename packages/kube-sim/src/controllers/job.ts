import { at, isRecord, numberAt, stringAt, type KubeObject, listAt } from '@tiphys/api';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
import { failureOf, indexesOf, indexText, successOf } from './job-policy.ts';
import { ownerKey } from './replica-set.ts';
import { conditionStatus, isActive, isReady, podFromTemplate, templateLabels, templateOf } from './template.ts';
import { createPodFor, withCondition, type Condition, type Workbench } from './workbench.ts';

const resource = 'jobs.batch';
const component = 'job-controller';

/** When a pod that was refused is tried again. */
const refusedAgainMs = 2000;

const phaseIs =
  (phase: string) =>
  (pod: KubeObject): boolean =>
    stringAt(pod, 'status', 'phase') === phase;

/** After a failure that its policy ignores a Job waits so long; the others are made good at once. */
const ignoredPauseMs = 10_000;

type Tally = Readonly<{
  active: readonly KubeObject[];
  succeeded: number;
  failed: number;
  terminating: number;
  /** Of an indexed Job. */
  succeededIndexes: readonly number[];
  failedIndexes: readonly number[];
  failuresByIndex: ReadonlyMap<number, number>;
  /** Why the whole Job is to fail at once. */
  fatal: string | undefined;
  /** When the last pod failed whose failure does not count; 0 for never. */
  ignoredAt: number;
}>;

const isIndexed = (job: KubeObject): boolean => stringAt(job, 'spec', 'completionMode') === 'Indexed';

const indexOf = (pod: KubeObject): number =>
  Number(pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? -1);

const endOf = (pod: KubeObject): number =>
  new Date(stringAt(pod, 'status', 'containerStatuses', 0, 'state', 'terminated', 'finishedAt') ?? 0).getTime();

/** Indexes that a status tells of: their pods may be gone. */
const told = (job: KubeObject, field: string): readonly number[] => indexesOf(stringAt(job, 'status', field) ?? '');

const unique = (indexes: readonly number[]): readonly number[] => [...new Set(indexes)].sort((a, b) => a - b);

function tally(job: KubeObject, bench: Workbench): Tally {
  const pods = bench.controlled(job, 'Pod');
  const failures = pods.filter(phaseIs('Failed')).map((pod) => ({ pod, failure: failureOf(job, pod) }));
  const counted = failures.filter(({ failure }) => failure.kind !== 'ignore');
  const fatal = counted.find(({ failure }) => failure.kind === 'fail-job')?.failure;
  const failuresByIndex = new Map([...Map.groupBy(counted, ({ pod }) => indexOf(pod))].map(([k, v]) => [k, v.length]));
  const perIndex = numberAt(job, 'spec', 'backoffLimitPerIndex');
  const spent = perIndex === undefined ? [] : [...failuresByIndex].filter(([, n]) => n > perIndex).map(([k]) => k);
  const given = counted.filter(({ failure }) => failure.kind === 'fail-index').map(({ pod }) => indexOf(pod));
  const succeeded = pods.filter(phaseIs('Succeeded'));
  return {
    active: pods.filter(isActive),
    // Pods that are gone stay counted.
    succeeded: Math.max(succeeded.length, numberAt(job, 'status', 'succeeded') ?? 0),
    failed: Math.max(counted.length, numberAt(job, 'status', 'failed') ?? 0),
    terminating: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined).length,
    succeededIndexes: isIndexed(job) ? unique([...told(job, 'completedIndexes'), ...succeeded.map(indexOf)]) : [],
    failedIndexes: perIndex === undefined ? [] : unique([...told(job, 'failedIndexes'), ...spent, ...given]),
    failuresByIndex,
    fatal: fatal?.kind === 'fail-job' ? fatal.message : undefined,
    ignoredAt: Math.max(0, ...failures.filter(({ failure }) => failure.kind === 'ignore').map(({ pod }) => endOf(pod))),
  };
}

/** What is to become of a Job. */
type Verdict =
  | Readonly<{ kind: 'run'; again: Again }>
  | Readonly<{ kind: 'complete'; reason: string; message: string }>
  | Readonly<{ kind: 'fail'; reason: string; message: string }>;

/** How the failures that there are end a Job; undefined while they do not. */
function failed(job: KubeObject, counted: Tally): Verdict | undefined {
  const fail = (reason: string, message: string): Verdict => ({ kind: 'fail', reason, message });
  if (counted.fatal !== undefined) return fail('PodFailurePolicy', counted.fatal);
  if (counted.failed > (numberAt(job, 'spec', 'backoffLimit') ?? 6))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const most = numberAt(job, 'spec', 'maxFailedIndexes');
  const { failedIndexes, succeededIndexes } = counted;
  if (most !== undefined && failedIndexes.length > most)
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  const all = numberAt(job, 'spec', 'completions') ?? 1;
  return failedIndexes.length > 0 && failedIndexes.length + succeededIndexes.length >= all
    ? fail('FailedIndexes', 'Job has failed indexes')
    : undefined;
}

function verdictOf(job: KubeObject, counted: Tally, now: Date): Verdict {
  const policy = successOf(job, counted.succeededIndexes);
  const bad = failed(job, counted);
  if (bad !== undefined) return bad;
  if (policy !== undefined) return { kind: 'complete', reason: 'SuccessPolicy', message: policy };
  const completions = numberAt(job, 'spec', 'completions') ?? 1;
  if (counted.succeeded >= completions)
    return { kind: 'complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
  const deadline = numberAt(job, 'spec', 'activeDeadlineSeconds');
  const start = stringAt(job, 'status', 'startTime');
  if (deadline === undefined || start === undefined) return { kind: 'run', again: undefined };
  const left = new Date(start).getTime() + deadline * 1000 - now.getTime();
  if (left > 0) return { kind: 'run', again: left };
  return { kind: 'fail', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
}

function jobPod(job: KubeObject, index: number | undefined, failures: number): KubeObject {
  const template = templateOf(job);
  const name = job.metadata.name ?? '';
  const indexed = index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) };
  const counts = numberAt(job, 'spec', 'backoffLimitPerIndex') !== undefined;
  const pod = podFromTemplate(job, template, {
    labels: { ...templateLabels(template), ...indexed },
    annotations: { ...indexed, ...(counts && { 'batch.kubernetes.io/job-index-failure-count': String(failures) }) },
  });
  return index === undefined
    ? pod
    : {
        ...pod,
        metadata: { ...pod.metadata, generateName: `${name}-${index}-` },
        spec: { ...(isRecord(pod['spec']) && pod['spec']), hostname: `${name}-${index}` },
      };
}

/** The indexes of an indexed Job that have still to succeed and that no pod works on. */
function freeIndexes(job: KubeObject, { active, succeededIndexes, failedIndexes }: Tally): readonly number[] {
  const taken = new Set([...active.map(indexOf), ...succeededIndexes, ...failedIndexes]);
  const completions = numberAt(job, 'spec', 'completions') ?? 0;
  return Array.from({ length: completions }, (_, index) => index).filter((index) => !taken.has(index));
}

/** @returns false when a pod was refused */
function startPods(job: KubeObject, counted: Tally, bench: Workbench): boolean {
  const { active, succeeded, failuresByIndex } = counted;
  const completions = numberAt(job, 'spec', 'completions');
  const parallelism = numberAt(job, 'spec', 'parallelism') ?? 1;
  const free = isIndexed(job) ? freeIndexes(job, counted) : undefined;
  const left = free === undefined ? (completions ?? Infinity) - succeeded : free.length + active.length;
  const done = completions === undefined && succeeded > 0;
  const missing = done ? 0 : Math.min(parallelism, left) - active.length;
  for (let i = 0; i < missing; i++) {
    const index = free?.[i];
    const failures = index === undefined ? 0 : (failuresByIndex.get(index) ?? 0);
    const refused = createPodFor(job, jobPod(job, index, failures), { bench, component });
    if (refused !== undefined) return false;
  }
  return true;
}

function conditionsFor(start: unknown, verdict: Verdict, now: string): unknown {
  const add = (conditions: unknown, entry: Condition): unknown =>
    withCondition(conditions, { lastProbeTime: now, ...entry }, now);
  switch (verdict.kind) {
    case 'complete': {
      const { reason, message } = verdict;
      const met = add(start, { type: 'SuccessCriteriaMet', status: 'True', reason, message });
      return add(met, { type: 'Complete', status: 'True', reason, message });
    }
    case 'fail': {
      const { reason, message } = verdict;
      return add(add(start, { type: 'FailureTarget', status: 'True', reason, message }), {
        type: 'Failed',
        status: 'True',
        reason,
        message,
      });
    }
    case 'run':
      return start;
  }
}

function writeStatus(job: KubeObject, verdict: Verdict, bench: Workbench): void {
  const counted = tally(job, bench);
  const now = bench.nowText();
  const { active, succeeded, failed, terminating } = counted;
  const conditions = conditionsFor(resumed(job, bench), verdict, now);
  const ready = active.filter(isReady).length;
  bench.updateStatus(job, {
    startTime: at(job, 'status', 'startTime') ?? now,
    ...(active.length > 0 && { active: active.length }),
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ready,
    terminating,
    uncountedTerminatedPods: {},
    ...(counted.succeededIndexes.length > 0 && { completedIndexes: indexText(counted.succeededIndexes) }),
    ...(counted.failedIndexes.length > 0 && { failedIndexes: indexText(counted.failedIndexes) }),
    ...(conditions !== undefined && { conditions }),
    ...(verdict.kind === 'complete' && { completionTime: now }),
  });
}

const isOver = (job: KubeObject): boolean =>
  conditionStatus(job, 'Complete') === 'True' || conditionStatus(job, 'Failed') === 'True';

/** Milliseconds until a finished Job is to be removed (`ttlSecondsAfterFinished`); undefined when it stays. */
function timeToLive(job: KubeObject, now: Date): number | undefined {
  const seconds = numberAt(job, 'spec', 'ttlSecondsAfterFinished');
  if (seconds === undefined) return undefined;
  const last = listAt(job, 'status', 'conditions').find((entry) =>
    ['Complete', 'Failed'].includes(stringAt(entry, 'type') ?? ''),
  );
  const end = new Date(stringAt(last, 'lastTransitionTime') ?? now).getTime();
  return Math.max(0, end + seconds * 1000 - now.getTime());
}

function suspend(job: KubeObject, bench: Workbench): Again {
  for (const pod of tally(job, bench).active) bench.remove(pod);
  if (conditionStatus(job, 'Suspended') === 'True') return undefined;
  const status = isRecord(job['status']) ? job['status'] : {};
  const entry = {
    type: 'Suspended',
    status: 'True',
    reason: 'JobSuspended',
    message: 'Job suspended',
    lastProbeTime: bench.nowText(),
  };
  const conditions = withCondition(status['conditions'], entry, bench.nowText());
  bench.updateStatus(job, { ...status, ready: 0, terminating: 0, uncountedTerminatedPods: {}, conditions });
  bench.event(job, { type: 'Normal', reason: 'Suspended', message: 'Job suspended', component });
  return undefined;
}

/** The conditions of a Job that goes on after it was suspended. */
function resumed(job: KubeObject, bench: Workbench): unknown {
  const conditions: unknown = at(job, 'status', 'conditions');
  if (conditionStatus(job, 'Suspended') !== 'True') return conditions;
  bench.event(job, { type: 'Normal', reason: 'Resumed', message: 'Job resumed', component });
  const entry = { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' };
  return withCondition(conditions, { ...entry, lastProbeTime: bench.nowText() }, bench.nowText());
}

function reconcile(job: KubeObject, bench: Workbench): Again {
  if (isOver(job)) {
    const left = timeToLive(job, bench.now());
    if (left === 0) bench.remove(job);
    return left === 0 ? undefined : left;
  }
  if (job.metadata.deletionTimestamp !== undefined) return undefined;
  if (at(job, 'spec', 'suspend') === true) return suspend(job, bench);
  const counted = tally(job, bench);
  let verdict = verdictOf(job, counted, bench.now());
  const pause = counted.ignoredAt + ignoredPauseMs - bench.now().getTime();
  let started = true;
  if (verdict.kind === 'run' && pause <= 0) started = startPods(job, counted, bench);
  else if (verdict.kind === 'run') verdict = { kind: 'run', again: Math.min(pause, verdict.again ?? pause) };
  else for (const pod of counted.active) bench.remove(pod);
  writeStatus(job, verdict, bench);
  if (verdict.kind === 'run') return started ? verdict.again : refusedAgainMs;
  const [type, reason, message] =
    verdict.kind === 'complete'
      ? (['Normal', 'Completed', 'Job completed'] as const)
      : (['Warning', verdict.reason, verdict.message] as const);
  bench.event(job, { type, reason, message, component });
  return undefined;
}

/** Somebody else sees to it. */
const isForeign = (job: KubeObject): boolean =>
  (stringAt(job, 'spec', 'managedBy') ?? 'kubernetes.io/job-controller') !== 'kubernetes.io/job-controller';

/** Runs a Job's pods until enough have succeeded or too many have failed. */
export const jobs = (bench: Workbench): Controller => ({
  name: 'job',
  concerns: (event) => {
    const { object } = event;
    if (event.resource === resource) return [keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')];
    return event.resource === 'pods' ? ownerKey(object, 'Job') : [];
  },
  reconcile: (key) => {
    const job = bench.get({ resource, ...splitKey(key) });
    return job === undefined || isForeign(job) ? undefined : reconcile(job, bench);
  },
});
