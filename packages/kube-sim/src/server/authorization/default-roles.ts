import type { KubeObject } from '@tiphys/api';
import { aggregatedRules } from './rules.ts';

type Rule = Readonly<Record<string, readonly string[]>>;

const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

/** `on('apps', 'deployments deployments/scale', read)`: groups and resources separated by blanks, `-` for the core group. */
const on = (groups: string, resources: string, verbs: readonly string[]): Rule => ({
  apiGroups: groups.split(' ').map((group) => (group === '-' ? '' : group)),
  resources: resources.split(' '),
  verbs,
});

const paths = (urls: string, ...verbs: readonly string[]): Rule => ({ nonResourceURLs: urls.split(' '), verbs });

const workloads =
  'daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status';

const viewRules: readonly Rule[] = [
  on(
    '-',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    read,
  ),
  on(
    '-',
    'bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
    read,
  ),
  on('-', 'namespaces', read),
  on('- events.k8s.io', 'events', read),
  on('discovery.k8s.io', 'endpointslices', read),
  on('apps', `controllerrevisions ${workloads} statefulsets statefulsets/scale statefulsets/status`, read),
  on('autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status', read),
  on('batch', 'cronjobs cronjobs/status jobs jobs/status', read),
  on(
    'extensions',
    'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
    read,
  ),
  on('policy', 'poddisruptionbudgets poddisruptionbudgets/status', read),
  on('networking.k8s.io', 'ingresses ingresses/status networkpolicies', read),
  on('resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates', read),
];

const editRules: readonly Rule[] = [
  on('-', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy', read),
  on('-', 'serviceaccounts', ['impersonate']),
  on('-', 'pods pods/attach pods/exec pods/portforward pods/proxy', write),
  on('-', 'pods/eviction', ['create']),
  on(
    '-',
    'configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    write,
  ),
  on('-', 'serviceaccounts/token', ['create']),
  on('- events.k8s.io', 'events', write),
  on(
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
    write,
  ),
  on('autoscaling', 'horizontalpodautoscalers', write),
  on('batch', 'cronjobs jobs', write),
  on(
    'extensions',
    'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
    write,
  ),
  on('policy', 'poddisruptionbudgets', write),
  on('networking.k8s.io', 'ingresses networkpolicies', write),
  on('coordination.k8s.io', 'leases', [
    'create',
    'delete',
    'deletecollection',
    'get',
    'list',
    'patch',
    'update',
    'watch',
  ]),
  on('resource.k8s.io', 'resourceclaims resourceclaimtemplates', write),
];

const adminRules: readonly Rule[] = [
  on('authorization.k8s.io', 'localsubjectaccessreviews', ['create']),
  on('rbac.authorization.k8s.io', 'rolebindings roles', [
    'create',
    'delete',
    'deletecollection',
    'get',
    'list',
    'patch',
    'update',
    'watch',
  ]),
];

const aggregate = (to: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${to}`]: 'true',
});

const metadataOf = (name: string, labels: Readonly<Record<string, string>> = {}): KubeObject['metadata'] => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
});

const apiVersion = 'rbac.authorization.k8s.io/v1';

const role = (name: string, rules: readonly Rule[], labels?: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: metadataOf(name, labels),
  rules,
});

const sumOf = (name: string, labels?: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: metadataOf(name, labels),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregate(name) }] },
  rules: [],
});

const bind = (name: string, ...groups: readonly string[]): KubeObject => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: metadataOf(name),
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: groups.map((group) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group })),
});

const alive = '/healthz /livez /readyz /version /version/';

/** The roles for people that every cluster has, and who has them. Those of the cluster's own components are left out. */
export function defaultRoles(): readonly KubeObject[] {
  const parts = [
    role('cluster-admin', [on('*', '*', ['*']), paths('*', '*')]),
    role('system:aggregate-to-view', viewRules, aggregate('view')),
    role('system:aggregate-to-edit', editRules, aggregate('edit')),
    role('system:aggregate-to-admin', adminRules, aggregate('admin')),
    role('system:discovery', [
      paths('/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/', 'get'),
    ]),
    role('system:public-info-viewer', [paths(alive, 'get')]),
    role('system:basic-user', [
      on('authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', ['create']),
      on('authentication.k8s.io', 'selfsubjectreviews', ['create']),
    ]),
    role('system:service-account-issuer-discovery', [
      paths(
        '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
        'get',
      ),
    ]),
    role('system:auth-delegator', [
      on('authentication.k8s.io', 'tokenreviews', ['create']),
      on('authorization.k8s.io', 'subjectaccessreviews', ['create']),
    ]),
  ];
  const all = [...parts];
  // Each is a part of the next.
  for (const sum of [sumOf('view', aggregate('edit')), sumOf('edit', aggregate('admin')), sumOf('admin')])
    all.push({ ...sum, rules: aggregatedRules(sum, all) });
  return [
    ...all,
    bind('cluster-admin', 'system:masters'),
    bind('system:discovery', 'system:authenticated'),
    bind('system:basic-user', 'system:authenticated'),
    bind('system:public-info-viewer', 'system:authenticated', 'system:unauthenticated'),
    bind('system:service-account-issuer-discovery', 'system:serviceaccounts'),
  ];
}
