import { field, type TestedKind } from './field.ts';

/** Kinds of the other built-in groups: network, access, scaling, storage. */
export const platformKinds: readonly TestedKind[] = [
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
];
