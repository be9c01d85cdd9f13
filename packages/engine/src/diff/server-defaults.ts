import { equalJson, isRecord, type Json } from '@tiphys/api';

type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether a value is what the server would set, seen beside its sibling fields; `key` where it stands in a map. */
type Derived = (value: unknown, siblings: JsonRecord, key: string) => boolean;

/** Allocated or filled in by the server from what a manifest does not hold. */
const anything: Derived = () => true;

/** The policy that an image name implies: `latest`, said or meant, is always pulled. */
function isImpliedPullPolicy(policy: unknown, image: unknown): boolean {
  if (typeof image !== 'string') return false;
  const last = image.slice(image.lastIndexOf('/') + 1);
  const tag = /:(.*)$/.exec(last)?.[1] ?? 'latest';
  return policy === (tag === 'latest' && !image.includes('@') ? 'Always' : 'IfNotPresent');
}

const rollingDeployment = { maxUnavailable: '25%', maxSurge: '25%' };
const rollingDaemonSet = { maxUnavailable: 1, maxSurge: 0 };
const rollingStatefulSet = { partition: 0 };
const keepClaims = { whenDeleted: 'Retain', whenScaled: 'Retain' };
const rbacGroup = 'rbac.authorization.k8s.io';
const volumeFile = { defaultMode: 420 };
const scaleUpPolicies = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const scaleDownPolicies = [{ type: 'Percent', value: 100, periodSeconds: 15 }];
const webhook = {
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  reinvocationPolicy: 'Never',
  timeoutSeconds: 10,
};
const ceph = { keyring: '/etc/ceph/keyring', pool: 'rbd', user: 'admin' };

/**
 * What the API server of Kubernetes 1.35 sets where a manifest says nothing (or, for a field that is left out when it is zero,
 * says zero), by struct and field; of kinds whose objects people keep in Git. Zero values are not listed. Held against a real
 * server by every-field.cluster.test.ts.
 */
const defaults: Readonly<Record<string, Readonly<Record<string, Json | Derived>>>> = {
  'admissionregistration.v1.MatchResources': { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} },
  'admissionregistration.v1.MutatingWebhook': webhook,
  'admissionregistration.v1.NamedRuleWithOperations': { scope: '*' },
  'admissionregistration.v1.RuleWithOperations': { scope: '*' },
  'admissionregistration.v1.ServiceReference': { port: 443 },
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': { failurePolicy: 'Fail' },
  'admissionregistration.v1.ValidatingWebhook': webhook,
  'apiextensions.v1.CustomResourceDefinitionNames': {
    listKind: (value, { kind }) => value === `${String(kind)}List`,
    singular: (value, { kind }) => value === String(kind).toLowerCase(),
  },
  'apiextensions.v1.CustomResourceDefinitionSpec': { conversion: { strategy: 'None' } },
  'apiextensions.v1.ServiceReference': { port: 443 },
  'apiregistration.v1.ServiceReference': { port: 443 },
  'apps.v1.DaemonSetSpec': {
    revisionHistoryLimit: 10,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: rollingDaemonSet },
  },
  'apps.v1.DaemonSetUpdateStrategy': { type: 'RollingUpdate', rollingUpdate: rollingDaemonSet },
  'apps.v1.DeploymentSpec': {
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    strategy: { type: 'RollingUpdate', rollingUpdate: rollingDeployment },
  },
  'apps.v1.DeploymentStrategy': { type: 'RollingUpdate', rollingUpdate: rollingDeployment },
  'apps.v1.ReplicaSetSpec': { replicas: 1 },
  'apps.v1.RollingUpdateDaemonSet': rollingDaemonSet,
  'apps.v1.RollingUpdateDeployment': rollingDeployment,
  'apps.v1.RollingUpdateStatefulSetStrategy': rollingStatefulSet,
  'apps.v1.StatefulSetOrdinals': { start: 0 },
  'apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy': keepClaims,
  'apps.v1.StatefulSetSpec': {
    persistentVolumeClaimRetentionPolicy: keepClaims,
    podManagementPolicy: 'OrderedReady',
    replicas: 1,
    revisionHistoryLimit: 10,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: rollingStatefulSet },
  },
  'apps.v1.StatefulSetUpdateStrategy': { type: 'RollingUpdate', rollingUpdate: rollingStatefulSet },
  'autoscaling.v1.HorizontalPodAutoscalerSpec': { minReplicas: 1, targetCPUUtilizationPercentage: 80 },
  'autoscaling.v2.HPAScalingRules': {
    policies: (value) => equalJson(value, scaleUpPolicies) || equalJson(value, scaleDownPolicies),
    selectPolicy: 'Max',
  },
  'autoscaling.v2.HorizontalPodAutoscalerBehavior': {
    scaleDown: { selectPolicy: 'Max', policies: scaleDownPolicies },
    scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: scaleUpPolicies },
  },
  'autoscaling.v2.HorizontalPodAutoscalerSpec': {
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
    minReplicas: 1,
  },
  'batch.v1.CronJobSpec': {
    concurrencyPolicy: 'Allow',
    failedJobsHistoryLimit: 1,
    successfulJobsHistoryLimit: 3,
    suspend: false,
  },
  'batch.v1.JobSpec': {
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    completions: 1,
    parallelism: 1,
    podReplacementPolicy: (value, { podFailurePolicy }) =>
      value === (podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'),
    suspend: false,
  },
  'batch.v1.JobTemplateSpec': { metadata: {} },
  'core.v1.AzureDiskVolumeSource': { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared' },
  'core.v1.ConfigMapVolumeSource': volumeFile,
  'core.v1.Container': {
    imagePullPolicy: (value, { image }) => isImpliedPullPolicy(value, image),
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  },
  'core.v1.ContainerPort': { protocol: 'TCP' },
  'core.v1.DownwardAPIVolumeSource': volumeFile,
  'core.v1.EndpointPort': { protocol: 'TCP' },
  'core.v1.HTTPGetAction': { path: '/', scheme: 'HTTP' },
  'core.v1.HostPathVolumeSource': { type: '' },
  'core.v1.ISCSIPersistentVolumeSource': { iscsiInterface: 'default' },
  'core.v1.ISCSIVolumeSource': { iscsiInterface: 'default' },
  'core.v1.ImageVolumeSource': {
    pullPolicy: (value, { reference }) => isImpliedPullPolicy(value, reference),
  },
  // A limit is taken for the default and a default for the request, each for the amounts of which nothing is said.
  'core.v1.LimitRangeItem': {
    default: (value, { max }) => isPartOf(value, max),
    defaultRequest: (value, siblings) => isPartOf(value, siblings['default']),
  },
  'core.v1.LimitRangeItem.default': { '*': (value, { max }, key) => isEntryOf(value, max, key) },
  'core.v1.LimitRangeItem.defaultRequest': {
    '*': (value, siblings, key) => isEntryOf(value, siblings['default'], key),
  },
  'core.v1.NamespaceSpec': { finalizers: ['kubernetes'] },
  'core.v1.ObjectFieldSelector': { apiVersion: 'v1' },
  'core.v1.PersistentVolumeClaimSpec': { volumeMode: 'Filesystem' },
  'core.v1.PersistentVolumeClaimTemplate': { metadata: {} },
  'core.v1.PersistentVolumeSpec': { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
  'core.v1.PodSpec': {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  },
  'core.v1.PodTemplateSpec': { metadata: {} },
  'core.v1.Probe': { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 },
  'core.v1.ProjectedVolumeSource': volumeFile,
  'core.v1.RBDPersistentVolumeSource': ceph,
  'core.v1.RBDVolumeSource': ceph,
  'core.v1.ReplicationControllerSpec': { replicas: 1 },
  'core.v1.ResourceFieldSelector': { divisor: '0' },
  'core.v1.ScaleIOPersistentVolumeSource': { fsType: 'xfs', storageMode: 'ThinProvisioned' },
  'core.v1.ScaleIOVolumeSource': { fsType: 'xfs', storageMode: 'ThinProvisioned' },
  'core.v1.Secret': { type: 'Opaque' },
  'core.v1.SecretVolumeSource': volumeFile,
  'core.v1.ServiceAccountTokenProjection': { expirationSeconds: 3600 },
  'core.v1.ServicePort': {
    nodePort: anything,
    protocol: 'TCP',
    targetPort: (value, { port }) => value === port,
  },
  'core.v1.ServiceSpec': {
    allocateLoadBalancerNodePorts: true,
    // What is allocated is an address; `None` is a decision.
    clusterIP: (value) => value !== 'None',
    clusterIPs: (value) => !Array.isArray(value) || !value.includes('None'),
    externalTrafficPolicy: 'Cluster',
    healthCheckNodePort: anything,
    internalTrafficPolicy: 'Cluster',
    ipFamilies: anything,
    ipFamilyPolicy: 'SingleStack',
    sessionAffinity: 'None',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    type: 'ClusterIP',
  },
  'core.v1.Volume': { emptyDir: {} },
  'discovery.v1.EndpointPort': { name: '', protocol: 'TCP' },
  'flowcontrol.v1.FlowSchemaSpec': { matchingPrecedence: 1000 },
  'flowcontrol.v1.LimitedPriorityLevelConfiguration': { lendablePercent: 0, nominalConcurrencyShares: 30 },
  'flowcontrol.v1.QueuingConfiguration': { handSize: 8, queueLengthLimit: 50, queues: 64 },
  'networking.v1.IngressClassParametersReference': { scope: 'Cluster' },
  'networking.v1.NetworkPolicyPort': { protocol: 'TCP' },
  'networking.v1.NetworkPolicySpec': {
    podSelector: {},
    policyTypes: (value, { egress }) =>
      equalJson(value, Array.isArray(egress) && egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress']),
  },
  'rbac.v1.RoleRef': { apiGroup: rbacGroup },
  'rbac.v1.Subject': { apiGroup: rbacGroup },
  'resource.v1.DeviceToleration': { operator: 'Equal' },
  'resource.v1.ExactDeviceRequest': { allocationMode: 'ExactCount', count: 1 },
  'scheduling.v1.PriorityClass': { preemptionPolicy: 'PreemptLowerPriority' },
  'storage.v1.CSIDriverSpec': {
    attachRequired: true,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    podInfoOnMount: false,
    requiresRepublish: false,
    seLinuxMount: false,
    storageCapacity: false,
    volumeLifecycleModes: ['Persistent'],
  },
  'storage.v1.StorageClass': { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
};

const isEntryOf = (amount: unknown, source: unknown, key: string): boolean =>
  isRecord(source) && source[key] !== undefined && equalJson(source[key], amount);

const isPartOf = (amounts: unknown, source: unknown): boolean =>
  isRecord(amounts) && Object.entries(amounts).every(([key, amount]) => isEntryOf(amount, source, key));

/** Fields that are written even when they are zero, and filled in like silence when a manifest says zero. */
const filledWhenZero: ReadonlySet<string> = new Set([
  'core.v1.ServicePort.targetPort',
  'flowcontrol.v1.FlowSchemaSpec.matchingPrecedence',
  'flowcontrol.v1.QueuingConfiguration.handSize',
  'flowcontrol.v1.QueuingConfiguration.queueLengthLimit',
  'flowcontrol.v1.QueuingConfiguration.queues',
  'rbac.v1.RoleRef.apiGroup',
]);

/** Where a value stands: its struct's name in the tables (of a map's entry: the map's place), its field, and the live record beside it. */
export type FieldOfStruct = Readonly<{ struct: string; field: string; siblings: JsonRecord }>;

/** Whether zero in this field is silence although the field is not left out. */
export const isFilledWhenZero = ({ struct, field }: FieldOfStruct): boolean => filledWhenZero.has(`${struct}.${field}`);

/** Whether a live value is what the server sets by itself. False where the tables know of no default. */
export function isServerDefault(value: unknown, { struct, field, siblings }: FieldOfStruct): boolean {
  const fields = defaults[struct];
  if (fields === undefined) return false;
  const standard = Object.hasOwn(fields, field) ? fields[field] : fields['*'];
  if (standard === undefined) return false;
  return typeof standard === 'function' ? standard(value, siblings, field) : equalJson(standard, value);
}
