import { field, type TestedKind } from './field.ts';
import { container, podFields, selectorFields, templateBase, workload } from './pods.ts';

/** Kinds that run pods. */
export const workloadKinds: readonly TestedKind[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({ spec: { ...workload, template: templateBase(random) } }),
    fields: [
      ...selectorFields,
      ...podFields('spec.template.spec', ['Always', 'Never']),
      field(
        'spec.strategy',
        { type: 'Recreate' },
        { rollingUpdate: { maxSurge: 1 } },
        { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } },
        {},
        { type: 'Odd' },
      ),
      field('spec.paused', true, false),
      field('spec.progressDeadlineSeconds', 60, 5),
    ],
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    plural: 'statefulsets',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({ spec: { ...workload, serviceName: 'svc', template: templateBase(random) } }),
    fields: [
      ...selectorFields,
      ...podFields('spec.template.spec', ['Always']),
      field(
        'spec.updateStrategy',
        { type: 'OnDelete' },
        { rollingUpdate: { partition: 1 } },
        { type: 'RollingUpdate' },
        {},
      ),
      field('spec.podManagementPolicy', 'Parallel', 'OrderedReady'),
      field(
        'spec.volumeClaimTemplates',
        [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
        [],
      ),
      field('spec.persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Delete' }, {}),
      field('spec.serviceName', 'svc', 'other'),
    ],
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    plural: 'daemonsets',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({ spec: { ...workload, template: templateBase(random) } }),
    fields: [
      ...selectorFields.filter(({ path }) => path[1] !== 'replicas'),
      ...podFields('spec.template.spec', ['Always', 'Never']),
      field(
        'spec.updateStrategy',
        { type: 'OnDelete' },
        { rollingUpdate: { maxUnavailable: 2 } },
        { type: 'RollingUpdate' },
      ),
    ],
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    plural: 'replicasets',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({ spec: { ...workload, template: templateBase(random) } }),
    fields: [
      ...selectorFields.filter(({ path }) => path[1] !== 'revisionHistoryLimit'),
      ...podFields('spec.template.spec', ['Always']),
    ],
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    plural: 'jobs',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({
      spec: { template: { spec: { restartPolicy: 'Never', containers: [container(random, 'main')] } } },
    }),
    fields: [
      ...podFields('spec.template.spec', ['Never', 'OnFailure', 'Always']).slice(0, 8),
      field('spec.backoffLimit', 0, 2, -1),
      field('spec.completions', 1, 3),
      field('spec.parallelism', 0, 2),
      field('spec.suspend', true, false),
      field('spec.ttlSecondsAfterFinished', 0, 100),
      field('spec.activeDeadlineSeconds', 10, 100),
      field('spec.template.metadata', { labels: { app: 'x' } }, {}),
      field('spec.completionMode', 'NonIndexed', 'Indexed'),
    ],
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    plural: 'cronjobs',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({
      spec: {
        schedule: '*/5 * * * *',
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'OnFailure', containers: [container(random, 'main')] } } },
        },
      },
    }),
    fields: [
      field('spec.schedule', '@hourly', '0 0 * * 1-5', 'never', ''),
      field('spec.concurrencyPolicy', 'Forbid', 'Allow', 'Odd'),
      field('spec.suspend', true, false),
      field('spec.successfulJobsHistoryLimit', 0, 5),
      field('spec.startingDeadlineSeconds', 10, 0),
      field('spec.timeZone', 'Etc/UTC', 'Europe/Berlin'),
      ...podFields('spec.jobTemplate.spec.template.spec', ['Never', 'OnFailure', 'Always']).slice(0, 8),
    ],
  },
];
