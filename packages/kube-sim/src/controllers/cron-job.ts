import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { timeText } from '../server/cluster.ts';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
import { ownerKey } from './replica-set.ts';
import { nextTime, parseSchedule } from './schedule.ts';
import { conditionStatus } from './template.ts';
import { controllerReference, type Workbench } from './workbench.ts';
import { omit } from '../schema/omit.ts';
import { offsetIn } from '../schema/time-zone.ts';

const resource = 'cronjobs.batch';
const component = 'cronjob-controller';

const isComplete = (job: KubeObject): boolean => conditionStatus(job, 'Complete') === 'True';

const isFinished = (job: KubeObject): boolean => isComplete(job) || conditionStatus(job, 'Failed') === 'True';

function jobFor(cronJob: KubeObject, due: Date): KubeObject {
  const template = at(cronJob, 'spec', 'jobTemplate');
  const metadata = at(template, 'metadata');
  const strings = (value: unknown): Record<string, string> =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, String(entry)])) : {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      // The minute is part of the name, so that one due time makes one Job.
      name: `${cronJob.metadata.name ?? ''}-${Math.floor(due.getTime() / 60_000)}`,
      namespace: cronJob.metadata.namespace ?? '',
      labels: strings(at(metadata, 'labels')),
      annotations: {
        ...strings(at(metadata, 'annotations')),
        'batch.kubernetes.io/cronjob-scheduled-timestamp': timeText(due),
      },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec: at(template, 'spec'),
  };
}

function forgetOld(cronJob: KubeObject, jobs: readonly KubeObject[], bench: Workbench): void {
  const created = (job: KubeObject): string => job.metadata.creationTimestamp ?? '';
  const oldestFirst = [...jobs].sort((a, b) => (created(a) < created(b) ? -1 : 1));
  const trim = (finished: readonly KubeObject[], limit: number): void => {
    for (const job of finished.slice(0, Math.max(0, finished.length - limit))) bench.remove(job);
  };
  trim(oldestFirst.filter(isComplete), numberAt(cronJob, 'spec', 'successfulJobsHistoryLimit') ?? 3);
  trim(
    oldestFirst.filter((job) => isFinished(job) && !isComplete(job)),
    numberAt(cronJob, 'spec', 'failedJobsHistoryLimit') ?? 1,
  );
}

type Due = Readonly<{ due: Date | undefined; next: Date | undefined }>;

/** The newest missed time, and the one to wait for. */
function dueTimes(cronJob: KubeObject, now: Date): Due {
  const schedule = parseSchedule(stringAt(cronJob, 'spec', 'schedule') ?? '');
  if (schedule === undefined) return { due: undefined, next: undefined };
  const offset = offsetIn(stringAt(cronJob, 'spec', 'timeZone'));
  const last = stringAt(cronJob, 'status', 'lastScheduleTime') ?? cronJob.metadata.creationTimestamp ?? timeText(now);
  let due: Date | undefined;
  let next = nextTime(schedule, new Date(last), offset);
  for (let missed = 0; next !== undefined && next <= now && missed < 100; missed++) {
    due = next;
    next = nextTime(schedule, next, offset);
  }
  return { due, next };
}

const describe = (job: KubeObject): Record<string, unknown> => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  name: job.metadata.name,
  namespace: job.metadata.namespace,
  uid: job.metadata.uid,
  resourceVersion: job.metadata.resourceVersion,
});

/** @returns the Job of a due time, or undefined when none is to run now */
function startJob(cronJob: KubeObject, due: Date, bench: Workbench): KubeObject | undefined {
  const active = bench.controlled(cronJob, 'Job').filter((job) => !isFinished(job));
  const policy = stringAt(cronJob, 'spec', 'concurrencyPolicy') ?? 'Allow';
  if (policy === 'Forbid' && active.length > 0) return undefined;
  if (policy === 'Replace') for (const job of active) bench.remove(job);
  const job = jobFor(cronJob, due);
  const { namespace = '', name = '' } = job.metadata;
  const present = bench.get({ resource: 'jobs.batch', namespace, name });
  if (present !== undefined) return present;
  const created = bench.create(job);
  bench.event(cronJob, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created job ${name}`, component });
  return created;
}

/** Jobs that run and that the controller has started itself; of others it says that it does not know them. */
function ownActive(cronJob: KubeObject, jobs: readonly KubeObject[], context: { started?: string; bench: Workbench }) {
  const known = new Set(listAt(cronJob, 'status', 'active').map((entry) => stringAt(entry, 'uid')));
  const isOwn = ({ metadata: { uid } }: KubeObject): boolean => uid === context.started || known.has(uid);
  const running = jobs.filter((job) => !isFinished(job));
  for (const job of running.filter((one) => !isOwn(one))) {
    const message = `Saw a job that the controller did not create or forgot: ${job.metadata.name ?? ''}`;
    context.bench.event(cronJob, { type: 'Warning', reason: 'UnexpectedJob', message, component });
  }
  return running.filter(isOwn);
}

function reconcile(cronJob: KubeObject, bench: Workbench): Again {
  if (cronJob.metadata.deletionTimestamp !== undefined) return undefined;
  const { due, next } = dueTimes(cronJob, bench.now());
  const suspended = at(cronJob, 'spec', 'suspend') === true;
  const started = due !== undefined && !suspended ? startJob(cronJob, due, bench) : undefined;
  const startedUid = started?.metadata.uid;
  const jobs = bench.controlled(cronJob, 'Job');
  forgetOld(cronJob, jobs, bench);
  const active = ownActive(cronJob, jobs, { bench, ...(startedUid !== undefined && { started: startedUid }) });
  const completed = jobs
    .flatMap((job) => (isComplete(job) ? (stringAt(job, 'status', 'completionTime') ?? []) : []))
    .sort()
    .at(-1);
  const before = isRecord(cronJob['status']) ? cronJob['status'] : {};
  const rest = omit(before, 'active');
  bench.updateStatus(cronJob, {
    ...rest,
    ...(active.length > 0 && { active: active.map(describe) }),
    ...(started !== undefined && due !== undefined && { lastScheduleTime: timeText(due) }),
    ...(completed !== undefined && { lastSuccessfulTime: completed }),
  });
  return next === undefined || suspended ? undefined : next.getTime() - bench.now().getTime() + 100;
}

/** Starts Jobs when their time comes. */
export const cronJobs = (bench: Workbench): Controller => ({
  name: 'cronjob',
  concerns: (event) => {
    const { object } = event;
    if (event.resource === resource) return [keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')];
    return event.resource === 'jobs.batch' ? ownerKey(object, 'CronJob') : [];
  },
  reconcile: (key) => {
    const cronJob = bench.get({ resource, ...splitKey(key) });
    return cronJob === undefined ? undefined : reconcile(cronJob, bench);
  },
});
