import { listAt, numberAt, stringAt } from '@tiphys/api';
import {
  condition,
  create,
  happensOn,
  seenOnce,
  template,
  untilSeen,
  within,
  type Agreement,
  type Difference,
  type Place,
  type See,
} from './difference.ts';

type Outcome = 'succeed' | 'fail';

const jobSpec = (outcome: Outcome, spec: object): object => ({
  ...spec,
  template: template({
    annotations: { 'sim.tiphys.dev/outcome': outcome },
    spec: { restartPolicy: 'Never' },
  }),
});

/** How a Job ends: its last condition, and what it counts. */
async function endOf(place: Place, outcome: Outcome, spec: object): Promise<string> {
  const jobs = within(place, 'batch/v1 jobs');
  const { body } = await create(place, jobs, { metadata: { generateName: 'j-' }, spec: jobSpec(outcome, spec) });
  const path = `${jobs}/${stringAt(body, 'metadata', 'name') ?? ''}`;
  const { end, job } = await untilSeen(place, path, (seen) => {
    const last = condition(seen, 'Failed') ?? condition(seen, 'Complete');
    return last === undefined ? undefined : { end: last, job: seen };
  });
  const count = (field: string): string => `${field} ${numberAt(job, 'status', field) ?? 0}`;
  const indexes = (field: string): string => `${field} ${stringAt(job, 'status', field) ?? 'none'}`;
  const parts = [end, count('succeeded'), count('failed'), indexes('completedIndexes'), indexes('failedIndexes')];
  return parts.join(', ');
}

const failJob = {
  rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [1] } }],
};

const firstIndex = { rules: [{ succeededIndexes: '0', succeededCount: 1 }] };

const policies: See = async (place) => {
  const indexed = { completionMode: 'Indexed' };
  const jobs = within(place, 'batch/v1 jobs');
  await create(place, jobs, { metadata: { name: 'other' }, spec: jobSpec('succeed', { managedBy: 'example.com/it' }) });
  const ends = [
    await endOf(place, 'fail', { podFailurePolicy: failJob, backoffLimit: 0 }),
    await endOf(place, 'succeed', { ...indexed, completions: 3, parallelism: 1, successPolicy: firstIndex }),
    await endOf(place, 'fail', { ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 0 }),
  ];
  const { body } = await place.call({ method: 'GET', path: `${within(place, 'pods')}?labelSelector=job-name%3Dother` });
  return [...ends, `managed by another: ${listAt(body, 'items').length} pods`];
};

export const jobAgreements: readonly Agreement[] = [
  {
    what: 'policies of Jobs for failed pods, for success and for indexes, and Jobs that others manage',
    see: policies,
    both: [
      'Failed=True PodFailurePolicy, succeeded 0, failed 1, completedIndexes none, failedIndexes none',
      'Complete=True SuccessPolicy, succeeded 1, failed 0, completedIndexes 0, failedIndexes none',
      'Failed=True FailedIndexes, succeeded 0, failed 2, completedIndexes none, failedIndexes 0,1',
      'managed by another: 0 pods',
    ],
  },
];

export const jobs: readonly Difference[] = [
  {
    key: 'job-tracking',
    see: async (place) => {
      await create(place, within(place, 'batch/v1 jobs'), { metadata: { name: 'j' }, spec: jobSpec('succeed', {}) });
      const pods = `${within(place, 'pods')}?labelSelector=job-name%3Dj`;
      const first = await untilSeen(place, pods, (body) => listAt(body, 'items')[0]);
      return listAt(first, 'metadata', 'finalizers');
    },
    real: ['batch.kubernetes.io/job-tracking'],
    embedded: [],
  },
  {
    key: 'job-retries',
    see: async (place) => {
      const path = within(place, 'batch/v1 jobs', 'j');
      await create(place, within(place, 'batch/v1 jobs'), { metadata: { name: 'j' }, spec: jobSpec('fail', {}) });
      await untilSeen(place, path, (job) => numberAt(job, 'status', 'failed'));
      const failures = async (): Promise<number> => {
        const { body } = await place.call({ method: 'GET', path });
        return numberAt(body, 'status', 'failed') ?? 0;
      };
      const isSeveral = (count: number): boolean => count > 1;
      return isSeveral(await seenOnce(failures, isSeveral, happensOn(place, 'embedded'))) ? 'at once' : 'later';
    },
    real: 'later',
    embedded: 'at once',
  },
];
