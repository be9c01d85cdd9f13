import * as details from './pod-details.ts';
import type { Random } from './random.ts';

type Path = readonly string[];
type Value = (random: Random) => unknown;

/** A field that sequences set, change and remove; `undefined` in its values removes it. */
export type Field = Readonly<{ path: Path; value: Value }>;

/** A kind that takes part: how its objects are made, and which of their fields move. */
export type TestedKind = Readonly<{
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  custom?: true;
  hasStatus?: true;
  /** What every object has. */
  base: (random: Random) => Record<string, unknown>;
  fields: readonly Field[];
}>;

const field = (path: string, ...values: readonly unknown[]): Field => ({
  path: path.split('.'),
  value: (random) => random.pick(values),
});

const made = (path: string, value: Value): Field => ({ path: path.split('.'), value });

const labels = made('metadata.labels', (random) =>
  Object.fromEntries(
    random.some(['app', 'tier', 'a.b/c', 'team'], 0.5).map((key) => [key, random.pick(['x', 'y', ''])]),
  ),
);
/** Fields that objects of all kinds have. */
export const metadataFields: readonly Field[] = [
  labels,
  labels,
  made('metadata.annotations', (random) =>
    Object.fromEntries(
      random
        .some(['note', 'example.com/owner', 'Long/Key'], 0.5)
        .map((key) => [key, random.pick(['1', 'two words', ''])]),
    ),
  ),
  field('metadata.finalizers', ['example.com/keep'], [], ['example.com/keep', 'example.com/second'], null),
  field('metadata.labels', { 'bad key!': 'x' }, { app: 'not valid!' }, null, { app: 'x' }, { app: 'x' }),
];

const images = ['nginx', 'nginx:1.27', 'registry.example.com:5000/team/app@sha256:0123', 'busybox:latest'];

function container(random: Random, name: string): Record<string, unknown> {
  const optional: Record<string, unknown> = {
    ports: random.pick([
      [{ containerPort: 80 }],
      [
        { containerPort: 80, name: 'http' },
        { containerPort: 53, protocol: 'UDP' },
      ],
      [
        { containerPort: 80, protocol: 'TCP' },
        { containerPort: 8080, protocol: 'TCP', hostPort: 0 },
      ],
      [],
    ]),
    env: random.pick([
      [{ name: 'A', value: '1' }],
      [
        { name: 'A', value: '' },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
      [{ name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } }],
    ]),
    resources: random.pick([
      { limits: { cpu: 0.5, memory: '1024Mi' } },
      { requests: { cpu: '1000m', memory: '1.5Gi' }, limits: { cpu: '2' } },
      { requests: { cpu: '100m' } },
      {},
      { requests: { memory: '128Mi', 'ephemeral-storage': '1e9' } },
    ]),
    livenessProbe: random.pick([
      { httpGet: { port: 80 } },
      { tcpSocket: { port: 'http' }, initialDelaySeconds: 0, periodSeconds: 3 },
      { exec: { command: ['true'] }, successThreshold: 1 },
    ]),
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, timeoutSeconds: 2 },
    args: random.pick([[], ['a'], ['a', 'b']]),
    command: ['sh', '-c', 'true'],
    imagePullPolicy: random.pick(['Always', 'Never', 'IfNotPresent', 'Sometimes']),
    securityContext: random.pick([{ runAsNonRoot: true }, { privileged: false }, ...details.containerSecurityContexts]),
    tty: random.pick([true, false]),
    workingDir: '/srv',
    lifecycle: random.pick(details.lifecycles),
    startupProbe: random.pick(details.probes),
    envFrom: random.pick(details.environmentSources),
  };
  const chosen = random.some(Object.keys(optional), 0.2).map((key): [string, unknown] => [key, optional[key]]);
  return { name, image: random.pick(images), ...Object.fromEntries(chosen) };
}

const containers: Value = (random) =>
  random
    .pick([['main'], ['main'], ['main', 'side'], ['side', 'main'], ['main', 'main']])
    .map((name) => container(random, name));

const volumes: Value = (random) =>
  random.some(
    [
      { name: 'empty' },
      { name: 'config', configMap: { name: 'c' } },
      { name: 'secret', secret: { secretName: 's', items: [{ key: 'a', path: 'b' }] } },
      { name: 'host', hostPath: { path: '/tmp' } },
      { name: 'claim', persistentVolumeClaim: { claimName: 'p' } },
      { name: 'down', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      {
        name: 'all',
        projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'c' } }] },
      },
      { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '1024Mi' } },
    ],
    0.3,
  );

const podFields = (prefix: string, restart: readonly string[]): Field[] => [
  made(`${prefix}.containers`, containers),
  made(`${prefix}.containers`, containers),
  made(`${prefix}.initContainers`, (random) => [container(random, 'init')]),
  made(`${prefix}.volumes`, volumes),
  field(`${prefix}.restartPolicy`, ...restart),
  field(`${prefix}.terminationGracePeriodSeconds`, 0, 5, 30),
  field(`${prefix}.nodeSelector`, { disk: 'ssd' }, {}, { disk: 'ssd', zone: 'a' }),
  field(`${prefix}.hostNetwork`, true, false),
  field(`${prefix}.securityContext`, ...details.podSecurityContexts),
  field(`${prefix}.serviceAccountName`, 'default', ''),
  field(`${prefix}.tolerations`, ...details.tolerations),
  field(`${prefix}.dnsPolicy`, 'Default', 'ClusterFirst', 'Nowhere'),
  field(`${prefix}.imagePullSecrets`, [{ name: 'pull' }], [{ name: 'pull' }, { name: 'other' }]),
  field(`${prefix}.affinity`, ...details.affinities),
  field(`${prefix}.topologySpreadConstraints`, ...details.spreads),
  field(`${prefix}.dnsConfig`, ...details.dnsConfigs),
  field(`${prefix}.hostAliases`, ...details.hostAliases),
  ...Object.entries(details.podExtras).map(([name, values]) => field(`${prefix}.${name}`, ...values)),
];

const templateBase = (random: Random, restartPolicy?: string): Record<string, unknown> => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [container(random, 'main')], ...(restartPolicy !== undefined && { restartPolicy }) },
});

const workload = { selector: { matchLabels: { app: 'x' } } };
const selectorFields = [
  field('spec.selector', { matchLabels: { app: 'x' } }, { matchLabels: { app: 'y' } }, { matchLabels: {} }),
  field('spec.template.metadata.labels', { app: 'x' }, { app: 'x', more: 'yes' }, { other: 'z' }),
  field('spec.template.metadata.annotations', { a: 'b' }, {}, { a: 'c' }),
  field('spec.replicas', 0, 1, 3, -1, null),
  field('spec.replicas', 2, 5),
  field('spec.minReadySeconds', 0, 10),
  field('spec.revisionHistoryLimit', 0, 5),
];

const ports = [
  [{ port: 80 }],
  [
    { port: 80, name: 'http', targetPort: 'web' },
    { port: 443, name: 'https', targetPort: 8443 },
  ],
  [
    { port: 53, name: 'dns', protocol: 'UDP' },
    { port: 53, name: 'dns-tcp' },
  ],
  [{ port: 80, protocol: 'TCP', targetPort: 8080 }],
  [{ port: 80 }, { port: 81 }],
  [{ port: 0 }],
];

export const testedKinds: readonly TestedKind[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    plural: 'configmaps',
    namespaced: true,
    base: () => ({ data: { a: '1' } }),
    fields: [
      field('data', { a: '1', b: '2' }, { c: '' }, {}, null, { 'bad key': 'x' }),
      field('data.a', 'one', 'two', ''),
      field('data.z', 'last', null),
      field('binaryData', { bin: 'AAEC' }, { bin: 'not base64!' }),
      field('immutable', true, false),
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    namespaced: true,
    base: (random) =>
      random.pick<Record<string, unknown>>([
        { data: { a: 'YQ==' } },
        { stringData: { a: 'plain' } },
        { type: 'Opaque' },
        { type: 'example.com/kind' },
      ]),
    fields: [
      field('data', { a: 'Yg==', b: 'Yw==' }, {}, { a: '' }),
      field('stringData', { a: 'text' }, { n: 'new', a: '' }),
      field('type', 'Opaque', 'kubernetes.io/tls', 'other'),
      field('immutable', true, false),
      field('data.k', 'aw==', null),
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    namespaced: true,
    base: () => ({}),
    fields: [
      field('automountServiceAccountToken', true, false),
      field('imagePullSecrets', [{ name: 'a' }], [{ name: 'a' }, { name: 'b' }], []),
      field('secrets', [{ name: 's' }], [{ name: 's', namespace: 'x' }]),
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    plural: 'services',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({ spec: { ports: random.pick(ports.slice(0, 4)) } }),
    fields: [
      field('spec.ports', ...ports),
      field('spec.selector', { app: 'x' }, { app: 'x', tier: 'y' }, {}),
      field('spec.type', 'ClusterIP', 'NodePort', 'LoadBalancer', 'Odd'),
      field('spec.clusterIP', 'None', 'None', 'nonsense'),
      field('spec.sessionAffinity', 'None', 'ClientIP', 'Sticky'),
      field('spec.externalIPs', ['192.0.2.1'], []),
      field('spec.publishNotReadyAddresses', true, false),
      field('spec.externalTrafficPolicy', 'Local', 'Cluster'),
      field('spec.internalTrafficPolicy', 'Local', 'Cluster'),
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    namespaced: true,
    hasStatus: true,
    base: () => ({
      spec: { storageClassName: 'none', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }),
    fields: [
      field('spec.resources.requests.storage', '2Gi', '1024Mi', '0'),
      field('spec.accessModes', ['ReadWriteMany'], ['ReadWriteOnce'], [], ['Other']),
      field('spec.volumeMode', 'Block', 'Filesystem'),
      field('spec.volumeName', 'vol'),
      field('spec.selector', { matchLabels: { a: 'b' } }),
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    plural: 'persistentvolumes',
    namespaced: false,
    hasStatus: true,
    base: () => ({
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
    }),
    fields: [
      field('spec.capacity.storage', '5Gi', '0.5Gi'),
      field('spec.accessModes', ['ReadWriteMany', 'ReadOnlyMany'], ['ReadWriteOnce']),
      field('spec.persistentVolumeReclaimPolicy', 'Delete', 'Retain', 'Odd'),
      field('spec.storageClassName', 'fast', ''),
      field('spec.hostPath', { path: '/other' }, { path: '/data', type: 'Directory' }),
      field('spec.mountOptions', ['ro'], []),
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    plural: 'pods',
    namespaced: true,
    hasStatus: true,
    base: (random) => ({
      spec: { containers: [container(random, 'main')], automountServiceAccountToken: random.pick([true, false]) },
    }),
    fields: [...podFields('spec', ['Always', 'Never', 'OnFailure', 'Odd']), field('spec.activeDeadlineSeconds', 10, 0)],
  },
  {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    plural: 'podtemplates',
    namespaced: true,
    base: (random) => ({ template: templateBase(random) }),
    fields: podFields('template.spec', ['Always', 'Never']),
  },
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    plural: 'namespaces',
    namespaced: false,
    hasStatus: true,
    base: () => ({}),
    fields: [
      field('metadata.labels', { team: 'x' }, { team: 'y', 'kubernetes.io/metadata.name': 'other' }),
      field('spec', {}, { finalizers: [] }),
    ],
  },
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
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    plural: 'ingresses',
    namespaced: true,
    hasStatus: true,
    base: () => ({
      spec: {
        rules: [
          {
            host: 'a.example.com',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'svc', port: { number: 80 } } } }],
            },
          },
        ],
      },
    }),
    fields: [
      field('spec.ingressClassName', 'nginx', 'other', 'Bad_Name'),
      field('spec.tls', [{ hosts: ['a.example.com'], secretName: 'tls' }], []),
      field(
        'spec.defaultBackend',
        { service: { name: 'svc', port: { name: 'http' } } },
        { service: { name: '', port: { number: 80 } } },
      ),
      field(
        'spec.rules',
        [
          {
            host: '*.example.com',
            http: {
              paths: [{ path: '/x', pathType: 'Exact', backend: { service: { name: 'b', port: { name: 'web' } } } }],
            },
          },
        ],
        [
          {
            http: {
              paths: [
                { path: 'relative', pathType: 'Prefix', backend: { service: { name: 'b', port: { number: 80 } } } },
              ],
            },
          },
        ],
        [{ http: { paths: [{ path: '/', backend: { service: { name: 'b', port: { number: 80 } } } }] } }],
        [],
      ),
    ],
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    namespaced: true,
    base: () => ({ spec: { podSelector: {} } }),
    fields: [
      field(
        'spec.podSelector',
        { matchLabels: { a: 'b' } },
        {},
        { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
        { matchExpressions: [{ key: 'a', operator: 'In' }] },
      ),
      field(
        'spec.ingress',
        [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }],
        [{}],
        [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] }],
      ),
      field('spec.egress', [{ ports: [{ port: 'dns', protocol: 'UDP' }] }], [{}]),
      field('spec.policyTypes', ['Ingress'], ['Egress', 'Ingress'], ['Odd']),
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    plural: 'roles',
    namespaced: true,
    base: () => ({ rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    fields: [
      field(
        'rules',
        [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'], resourceNames: ['a'] }],
        [],
        null,
        [{ apiGroups: [''], resources: ['pods'], verbs: [] }],
        [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
      ),
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    plural: 'clusterroles',
    namespaced: false,
    base: () => ({ rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list', 'watch'] }] }),
    fields: [
      field(
        'rules',
        [{ nonResourceURLs: ['/healthz'], verbs: ['get'] }],
        [],
        [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
      ),
      field('aggregationRule', { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }),
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    plural: 'rolebindings',
    namespaced: true,
    base: () => ({ roleRef: { kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'User', name: 'jane' }] }),
    fields: [
      field(
        'subjects',
        [
          { kind: 'ServiceAccount', name: 'sa', namespace: 'x' },
          { kind: 'Group', name: 'g' },
        ],
        [],
        [{ kind: 'Robot', name: 'r' }],
        null,
      ),
      field(
        'roleRef',
        { kind: 'Role', name: 'other', apiGroup: 'rbac.authorization.k8s.io' },
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      ),
    ],
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    namespaced: true,
    hasStatus: true,
    base: () => ({
      spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    }),
    fields: [
      field('spec.minReplicas', 1, 2, 10, 0),
      field('spec.maxReplicas', 3, 0, 8),
      field(
        'spec.metrics',
        [{ type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '500Mi' } } }],
        [],
        [{ type: 'Odd' }],
      ),
      field(
        'spec.behavior',
        { scaleDown: { stabilizationWindowSeconds: 60 } },
        { scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 30 }] } },
        {},
      ),
    ],
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    namespaced: true,
    hasStatus: true,
    base: () => ({ spec: { selector: { matchLabels: { app: 'x' } } } }),
    fields: [
      field('spec.minAvailable', 1, '50%', '150%', 'x'),
      field('spec.maxUnavailable', 0, '10%'),
      field('spec.selector', { matchLabels: { app: 'y' } }, {}),
      field('spec.unhealthyPodEvictionPolicy', 'AlwaysAllow', 'IfHealthyBudget', 'Odd'),
    ],
  },
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    plural: 'storageclasses',
    namespaced: false,
    base: () => ({ provisioner: 'example.com/disk' }),
    fields: [
      field('parameters', { type: 'ssd' }, { type: 'hdd' }),
      field('reclaimPolicy', 'Retain', 'Delete'),
      field('volumeBindingMode', 'WaitForFirstConsumer', 'Immediate'),
      field('allowVolumeExpansion', true, false),
      field('mountOptions', ['ro'], ['ro', 'noatime']),
    ],
  },
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    plural: 'priorityclasses',
    namespaced: false,
    base: () => ({ value: 100 }),
    fields: [
      field('description', 'a', ''),
      field('value', 100, 200),
      field('preemptionPolicy', 'Never', 'PreemptLowerPriority'),
      field('globalDefault', false),
    ],
  },
  {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    plural: 'leases',
    namespaced: true,
    base: () => ({}),
    fields: [
      field('spec.holderIdentity', 'a', 'b', ''),
      field('spec.leaseDurationSeconds', 15, 0),
      field('spec.renewTime', '2024-05-01T10:00:00.123456Z', '2024-05-01T12:00:00.000000+02:00'),
      field('spec.leaseTransitions', 0, 3, -1),
    ],
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    namespaced: true,
    base: () => ({ addressType: 'IPv4', endpoints: [] }),
    fields: [
      field(
        'endpoints',
        [{ addresses: ['10.0.0.1'] }],
        [{ addresses: ['10.0.0.1', '10.0.0.2'], conditions: { ready: true } }],
        null,
      ),
      field('ports', [{ port: 80 }], [{ name: 'a', port: 80, protocol: 'UDP' }, { name: 'b' }], []),
      field('addressType', 'IPv4', 'IPv6'),
    ],
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    plural: 'ingressclasses',
    namespaced: false,
    base: () => ({ spec: { controller: 'example.com/controller' } }),
    fields: [
      field('spec.parameters', { kind: 'Config', name: 'x' }, { apiGroup: 'example.com', kind: 'Config', name: 'y' }),
    ],
  },
  {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    plural: 'widgets',
    namespaced: true,
    custom: true,
    hasStatus: true,
    base: () => ({ spec: { size: 1 } }),
    fields: [
      field('spec.size', 0, 5, 11, 'large', null),
      field('spec.color', 'red', 'green', 'blue', ''),
      field(
        'spec.parts',
        [{ name: 'a' }],
        [
          { name: 'b', count: 2 },
          { name: 'a', count: 0 },
        ],
        [{ name: 'a' }, { name: 'a' }],
        [],
        null,
      ),
      field('spec.tags', ['x'], ['y', 'x'], ['x', 'x'], []),
      field('spec.steps', ['one', 'two'], ['two'], []),
      field('spec.settings', { mode: 'fast' }, {}, { mode: 'slow', level: 3 }),
      field('spec.free', { any: { thing: [1, 2] } }, { any: null }, {}),
      field('spec.port', 80, 'http', true),
      field('spec.unknown', 'x', 1),
      field('spec.atomic', { a: '1' }, { b: '2', a: '3' }),
      field('spec.limit', 3, 9),
      field('status', { ready: true }, { ready: false, phase: 'Done' }),
    ],
  },
];

/** The definition of the custom kind among them. */
export const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                'x-kubernetes-validations': [
                  { rule: '!has(self.limit) || self.size <= self.limit', message: 'size must not be above limit' },
                ],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 10 },
                  limit: { type: 'integer', default: 10 },
                  color: { type: 'string', enum: ['red', 'green'], default: 'red' },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, count: { type: 'integer', default: 1 } },
                    },
                  },
                  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                  steps: { type: 'array', items: { type: 'string' } },
                  settings: {
                    type: 'object',
                    properties: { mode: { type: 'string' }, level: { type: 'integer' } },
                  },
                  atomic: {
                    type: 'object',
                    'x-kubernetes-map-type': 'atomic',
                    additionalProperties: { type: 'string' },
                  },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  port: { 'x-kubernetes-int-or-string': true },
                },
              },
              status: { type: 'object', properties: { ready: { type: 'boolean' }, phase: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
};
