import { copyJson } from './copy-json.ts';
import { isRecord, stringAt } from '@tiphys/api';
import { parseQuantity, formatQuantity, roundUpToMilli } from './quantity.ts';

/** A part of an object that is being completed; rules change it in place. */
export type Draft = Record<string, unknown>;

/** Sets the fields that are not there yet; an empty text counts as none. */
export function fill(draft: Draft, values: Readonly<Draft>): void {
  for (const [key, value] of Object.entries(values)) {
    if (draft[key] === '') Reflect.deleteProperty(draft, key);
    draft[key] ??= copyJson(value);
  }
}

/** The object at a field, made when there is none. */
export function ensure(draft: Draft, field: string): Draft {
  const found = draft[field];
  if (isRecord(found)) return found;
  const made: Draft = {};
  draft[field] = made;
  return made;
}

export const objectsAt = (draft: Draft, field: string): Draft[] => {
  const found = draft[field];
  return Array.isArray(found) ? found.filter(isRecord) : [];
};

/** The pull policy that an image name implies: `latest`, said or meant, is always pulled. */
export function pullPolicyOf(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const last = image.slice(image.lastIndexOf('/') + 1);
  const colon = last.lastIndexOf(':');
  return colon < 0 || last.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}

function service(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  fill(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  if (spec['sessionAffinity'] === 'ClientIP') {
    const clientIP = ensure(ensure(spec, 'sessionAffinityConfig'), 'clientIP');
    fill(clientIP, { timeoutSeconds: 10800 });
  }
  for (const port of objectsAt(spec, 'ports')) {
    if (port['targetPort'] === 0 || port['targetPort'] === '') delete port['targetPort'];
    fill(port, { protocol: 'TCP', targetPort: port['port'] });
  }
  const type = String(spec['type']);
  const external = type === 'LoadBalancer' || type === 'NodePort';
  const reachable =
    external || (type === 'ClusterIP' && (Array.isArray(spec['externalIPs']) ? spec['externalIPs'] : []).length > 0);
  if (reachable) fill(spec, { externalTrafficPolicy: 'Cluster' });
  if (external || type === 'ClusterIP') fill(spec, { internalTrafficPolicy: 'Cluster' });
  if (type === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true });
}

function pod(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  for (const container of [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')]) {
    const resources = ensure(container, 'resources');
    if (isRecord(resources['limits'])) fill(ensure(resources, 'requests'), resources['limits']);
    if (spec['hostNetwork'] === true)
      for (const port of objectsAt(container, 'ports')) fill(port, { hostPort: port['containerPort'] });
  }
  fill(spec, { enableServiceLinks: true });
}

function podSpec(draft: Draft): void {
  // The old name of the field goes along with the new one.
  const account = [draft['serviceAccountName'], draft['serviceAccount']].find(
    (name) => name !== undefined && name !== '',
  );
  if (account !== undefined) Object.assign(draft, { serviceAccountName: account, serviceAccount: account });
  fill(draft, {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
  });
}

const container = (draft: Draft): void =>
  fill(draft, {
    imagePullPolicy: pullPolicyOf(stringAt(draft, 'image') ?? ''),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });

/** What a Secret says in plain text becomes part of its data. */
function secret(draft: Draft): void {
  const plain = draft['stringData'];
  if (isRecord(plain)) {
    const data = ensure(draft, 'data');
    for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(String(value)).toString('base64');
    delete draft['stringData'];
  }
  fill(draft, { type: 'Opaque' });
}

function volume(draft: Draft): void {
  if (Object.keys(draft).every((key) => key === 'name')) draft['emptyDir'] = {};
  const image = draft['image'];
  if (isRecord(image)) fill(image, { pullPolicy: pullPolicyOf(stringAt(image, 'reference') ?? '') });
}

function deployment(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  const strategy = ensure(spec, 'strategy');
  fill(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate')
    fill(ensure(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' });
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
}

function daemonSet(draft: Draft): void {
  // The generation of the template is a field of the spec inside the server, and an annotation outside.
  fill(ensure(ensure(draft, 'metadata'), 'annotations'), { 'deprecated.daemonset.template.generation': '0' });
  const spec = ensure(draft, 'spec');
  const strategy = ensure(spec, 'updateStrategy');
  fill(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') fill(ensure(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 });
  fill(spec, { revisionHistoryLimit: 10 });
}

function statefulSet(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  const strategy = ensure(spec, 'updateStrategy');
  if (strategy['type'] === undefined) {
    strategy['type'] = 'RollingUpdate';
    ensure(strategy, 'rollingUpdate');
  }
  if (strategy['type'] === 'RollingUpdate' && isRecord(strategy['rollingUpdate']))
    fill(strategy['rollingUpdate'], { partition: 0 });
  for (const claim of objectsAt(spec, 'volumeClaimTemplates'))
    fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
  fill(ensure(spec, 'persistentVolumeClaimRetentionPolicy'), { whenDeleted: 'Retain', whenScaled: 'Retain' });
  fill(spec, { podManagementPolicy: 'OrderedReady', replicas: 1, revisionHistoryLimit: 10 });
}

/** Jobs and replication controllers without labels of their own take those of their pods. */
function labelsFromTemplate(draft: Draft): Draft | undefined {
  const template = ensure(draft, 'spec')['template'];
  const labels = isRecord(template) ? ensure(template, 'metadata')['labels'] : undefined;
  if (!isRecord(labels)) return undefined;
  const metadata = ensure(draft, 'metadata');
  const own = metadata['labels'];
  if (!isRecord(own) || Object.keys(own).length === 0) metadata['labels'] = copyJson(labels);
  return labels;
}

function job(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1;
  labelsFromTemplate(draft);
  fill(spec, {
    parallelism: 1,
    backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : 2147483647,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
    manualSelector: false,
  });
}

function replicationController(draft: Draft): void {
  const labels = labelsFromTemplate(draft);
  const spec = ensure(draft, 'spec');
  if (labels !== undefined && Object.keys(ensure(spec, 'selector')).length === 0) spec['selector'] = { ...labels };
}

const scaleUp = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const scaleDown = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

function autoscaler(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  const target = { type: 'Utilization', averageUtilization: 80 };
  fill(spec, { minReplicas: 1, metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }] });
  const behavior = spec['behavior'];
  if (!isRecord(behavior)) return;
  fill(ensure(behavior, 'scaleUp'), scaleUp);
  fill(ensure(behavior, 'scaleDown'), scaleDown);
}

function networkPolicy(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  fill(spec, { policyTypes: objectsAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'] });
}

function namespace(draft: Draft): void {
  const metadata = ensure(draft, 'metadata');
  const name = stringAt(metadata, 'name') ?? '';
  if (name !== '') ensure(metadata, 'labels')['kubernetes.io/metadata.name'] = name;
  fill(ensure(draft, 'status'), { phase: 'Active' });
}

function limitRangeItem(draft: Draft): void {
  if (draft['type'] !== 'Container') return;
  const limits = ensure(draft, 'default');
  const requests = ensure(draft, 'defaultRequest');
  if (isRecord(draft['max'])) fill(limits, draft['max']);
  fill(requests, limits);
  if (isRecord(draft['min'])) fill(requests, draft['min']);
  for (const field of ['default', 'defaultRequest'])
    if (Object.keys(ensure(draft, field)).length === 0) Reflect.deleteProperty(draft, field);
}

function definition(draft: Draft): void {
  const spec = ensure(draft, 'spec');
  const names = ensure(spec, 'names');
  const kind = stringAt(names, 'kind') ?? '';
  fill(names, { singular: kind.toLowerCase(), ...(kind !== '' && { listKind: `${kind}List` }) });
  fill(spec, { conversion: { strategy: 'None' } });
  const storage = objectsAt(spec, 'versions').find((version) => version['storage'] === true);
  if (storage !== undefined) fill(ensure(draft, 'status'), { storedVersions: [storage['name']] });
}

const webhook = { failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} };
const rbacGroup = 'rbac.authorization.k8s.io';

const filling =
  (values: Readonly<Draft>) =>
  (draft: Draft): void =>
    fill(draft, values);

const roleBinding = (draft: Draft): void => fill(ensure(draft, 'roleRef'), { apiGroup: rbacGroup });

function node(draft: Draft): void {
  if (isRecord(draft['capacity'])) fill(draft, { allocatable: draft['capacity'] });
}

/** Quantities of resource lists have at most three decimal places. */
export function roundResources(list: Draft): void {
  for (const [name, value] of Object.entries(list)) {
    const quantity = typeof value === 'string' ? parseQuantity(value) : undefined;
    if (quantity !== undefined && quantity.scale > 3) list[name] = formatQuantity(roundUpToMilli(quantity));
  }
}

const resourceLists =
  (...fields: readonly string[]) =>
  (draft: Draft): void => {
    for (const field of fields) if (isRecord(draft[field])) roundResources(draft[field]);
  };

/** Defaults that the API server has in code, by schema name; run before those of the parts. */
export const defaultRules: Readonly<Record<string, (draft: Draft) => void>> = {
  'admissionregistration.v1.MatchResources': filling({
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
  }),
  'admissionregistration.v1.MutatingWebhook': filling({ ...webhook, timeoutSeconds: 10, reinvocationPolicy: 'Never' }),
  'admissionregistration.v1.RuleWithOperations': filling({ scope: '*' }),
  'admissionregistration.v1.NamedRuleWithOperations': filling({ scope: '*' }),
  'admissionregistration.v1.ServiceReference': filling({ port: 443 }),
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': filling({ failurePolicy: 'Fail' }),
  'admissionregistration.v1.ValidatingWebhook': filling({ ...webhook, timeoutSeconds: 10 }),
  'apiextensions.v1.CustomResourceDefinition': definition,
  'apiextensions.v1.ServiceReference': filling({ port: 443 }),
  'apiregistration.v1.ServiceReference': filling({ port: 443 }),
  'apps.v1.DaemonSet': daemonSet,
  'apps.v1.Deployment': deployment,
  'apps.v1.ReplicaSet': (draft) => fill(ensure(draft, 'spec'), { replicas: 1 }),
  'apps.v1.StatefulSet': statefulSet,
  'autoscaling.v1.HorizontalPodAutoscalerSpec': filling({ minReplicas: 1 }),
  'autoscaling.v2.HorizontalPodAutoscaler': autoscaler,
  'batch.v1.CronJobSpec': filling({
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  }),
  'batch.v1.Job': job,
  'batch.v1.PodFailurePolicyOnPodConditionsPattern': filling({ status: 'True' }),
  'core.v1.ConfigMapVolumeSource': filling({ defaultMode: 420 }),
  'core.v1.Container': container,
  'core.v1.ContainerPort': filling({ protocol: 'TCP' }),
  'core.v1.DownwardAPIVolumeSource': filling({ defaultMode: 420 }),
  'core.v1.EndpointPort': filling({ protocol: 'TCP' }),
  'core.v1.EphemeralContainer': container,
  'core.v1.HTTPGetAction': filling({ path: '/', scheme: 'HTTP' }),
  'core.v1.HostPathVolumeSource': filling({ type: '' }),
  'core.v1.LimitRangeItem': limitRangeItem,
  'core.v1.Namespace': namespace,
  'core.v1.NodeStatus': node,
  'core.v1.ObjectFieldSelector': filling({ apiVersion: 'v1' }),
  'core.v1.PersistentVolumeClaimSpec': filling({ volumeMode: 'Filesystem' }),
  'core.v1.PersistentVolumeClaimStatus': filling({ phase: 'Pending' }),
  'core.v1.PersistentVolumeSpec': filling({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }),
  'core.v1.PersistentVolumeStatus': filling({ phase: 'Pending' }),
  'core.v1.Pod': pod,
  'core.v1.PodSpec': podSpec,
  'core.v1.Probe': filling({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  'core.v1.ProjectedVolumeSource': filling({ defaultMode: 420 }),
  'core.v1.ReplicationController': replicationController,
  'core.v1.ResourceRequirements': resourceLists('limits', 'requests'),
  'core.v1.Secret': secret,
  'core.v1.SecretVolumeSource': filling({ defaultMode: 420 }),
  'core.v1.Service': service,
  'core.v1.ServiceAccountTokenProjection': filling({ expirationSeconds: 3600 }),
  'core.v1.Volume': volume,
  'discovery.v1.EndpointPort': filling({ name: '', protocol: 'TCP' }),
  'flowcontrol.v1.ExemptPriorityLevelConfiguration': filling({ nominalConcurrencyShares: 0, lendablePercent: 0 }),
  'flowcontrol.v1.FlowSchemaSpec': filling({ matchingPrecedence: 1000 }),
  'flowcontrol.v1.LimitedPriorityLevelConfiguration': filling({ nominalConcurrencyShares: 30, lendablePercent: 0 }),
  'flowcontrol.v1.QueuingConfiguration': filling({ handSize: 8, queues: 64, queueLengthLimit: 50 }),
  'networking.v1.IngressClassParametersReference': filling({ scope: 'Cluster' }),
  'networking.v1.NetworkPolicy': networkPolicy,
  'networking.v1.NetworkPolicyPort': filling({ protocol: 'TCP' }),
  'rbac.v1.ClusterRoleBinding': roleBinding,
  'rbac.v1.RoleBinding': roleBinding,
  'rbac.v1.Subject': (draft) => {
    if (draft['kind'] === 'User' || draft['kind'] === 'Group') fill(draft, { apiGroup: rbacGroup });
  },
  'scheduling.v1.PriorityClass': filling({ preemptionPolicy: 'PreemptLowerPriority' }),
  'storage.v1.CSIDriverSpec': filling({
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    volumeLifecycleModes: ['Persistent'],
    requiresRepublish: false,
    seLinuxMount: false,
  }),
  'storage.v1.StorageClass': filling({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
};
