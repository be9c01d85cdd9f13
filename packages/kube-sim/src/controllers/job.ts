import { at, isRecord, numberAt, stringAt, type KubeObject, listAt } from '@tiphys/api';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
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

type Tally = Readonly<{ active: readonly KubeObject[]; succeeded: number; failed: number; terminating: number }>;

function tally(job: KubeObject, bench: Workbench): Tally {
  const pods = bench.controlled(job, 'Pod');
  return {
    active: pods.filter(isActive),
    // Pods that are gone stay counted.
    succeeded: Math.max(pods.filter(phaseIs('Succeeded')).length, numberAt(job, 'status', 'succeeded') ?? 0),
    failed: Math.max(pods.filter(phaseIs('Failed')).length, numberAt(job, 'status', 'failed') ?? 0),
    terminating: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined).length,
  };
}

/** What is to become of a Job. */
type Verdict =
  | Readonly<{ kind: 'run'; again: Again }>
  | Readonly<{ kind: 'complete' }>
  | Readonly<{ kind: 'fail'; reason: string; message: string }>;

function verdictOf(job: KubeObject, { succeeded, failed }: Tally, now: Date): Verdict {
  const completions = numberAt(job, 'spec', 'completions') ?? 1;
  if (succeeded >= completions) return { kind: 'complete' };
  const limit = numberAt(job, 'spec', 'backoffLimit') ?? 6;
  if (failed > limit)
    return { kind: 'fail', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  const deadline = numberAt(job, 'spec', 'activeDeadlineSeconds');
  const start = stringAt(job, 'status', 'startTime');
  if (deadline === undefined || start === undefined) return { kind: 'run', again: undefined };
  const left = new Date(start).getTime() + deadline * 1000 - now.getTime();
  if (left > 0) return { kind: 'run', again: left };
  return { kind: 'fail', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
}

function jobPod(job: KubeObject, index: number | undefined): KubeObject {
  const template = templateOf(job);
  const name = job.metadata.name ?? '';
  const indexed = index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) };
  const pod = podFromTemplate(job, template, {
    labels: { ...templateLabels(template), ...indexed },
    annotations: indexed,
  });
  return index === undefined
    ? pod
    : {
        ...pod,
        metadata: { ...pod.metadata, generateName: `${name}-${index}-` },
        spec: { ...(isRecord(pod['spec']) && pod['spec']), hostname: `${name}-${index}` },
      };
}

const indexOf = (pod: KubeObject): number =>
  Number(pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? -1);

/** @returns false when a pod was refused */
function startPods(job: KubeObject, { active, succeeded }: Tally, bench: Workbench): boolean {
  const completions = numberAt(job, 'spec', 'completions');
  const parallelism = numberAt(job, 'spec', 'parallelism') ?? 1;
  const wanted = completions === undefined ? parallelism : Math.min(parallelism, completions - succeeded);
  const done = completions === undefined && succeeded > 0;
  const missing = done ? 0 : wanted - active.length;
  const indexed = stringAt(job, 'spec', 'completionMode') === 'Indexed';
  const taken = new Set(
    bench
      .controlled(job, 'Pod')
      .filter((pod) => isActive(pod) || phaseIs('Succeeded')(pod))
      .map(indexOf),
  );
  const free = Array.from({ length: completions ?? 0 }, (_, index) => index).filter((index) => !taken.has(index));
  for (let i = 0; i < missing; i++) {
    const refused = createPodFor(job, jobPod(job, indexed ? free[i] : undefined), { bench, component });
    if (refused !== undefined) return false;
  }
  return true;
}

function conditionsFor(start: unknown, verdict: Verdict, now: string): unknown {
  const add = (conditions: unknown, entry: Condition): unknown =>
    withCondition(conditions, { lastProbeTime: now, ...entry }, now);
  switch (verdict.kind) {
    case 'complete': {
      const reason = 'CompletionsReached';
      const message = 'Reached expected number of succeeded pods';
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
  const indexes = bench
    .controlled(job, 'Pod')
    .filter(phaseIs('Succeeded'))
    .map(indexOf)
    .sort((a, b) => a - b);
  bench.updateStatus(job, {
    startTime: at(job, 'status', 'startTime') ?? now,
    ...(active.length > 0 && { active: active.length }),
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ready,
    terminating,
    uncountedTerminatedPods: {},
    ...(stringAt(job, 'spec', 'completionMode') === 'Indexed' && { completedIndexes: indexes.join(',') }),
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
  const verdict = verdictOf(job, counted, bench.now());
  let started = true;
  if (verdict.kind === 'run') started = startPods(job, counted, bench);
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
    return job === undefined ? undefined : reconcile(job, bench);
  },
});
