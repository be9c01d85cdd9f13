import { at, isRecord, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { equal } from '../equal.ts';
import { randomSuffix } from '../names.ts';
import { forbidden } from '../refusal.ts';
import { timeText, type Preparation } from '../cluster.ts';

const tokenMount = '/var/run/secrets/kubernetes.io/serviceaccount';

const records = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

const tokenVolume = (name: string): Record<string, unknown> => ({
  name,
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
      {
        downwardAPI: {
          items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }],
        },
      },
    ],
  },
});

function withMount(container: Record<string, unknown>, name: string): Record<string, unknown> {
  const mounts = records(container['volumeMounts']);
  if (mounts.some((mount) => mount['mountPath'] === tokenMount)) return container;
  return { ...container, volumeMounts: [...mounts, { mountPath: tokenMount, name, readOnly: true }] };
}

function withToken(spec: Record<string, unknown>, account: KubeObject, random: () => number): Record<string, unknown> {
  const automount = spec['automountServiceAccountToken'] ?? account['automountServiceAccountToken'] ?? true;
  if (automount === false) return spec;
  const name = `kube-api-access-${randomSuffix(random)}`;
  const containers = records(spec['containers']).map((container) => withMount(container, name));
  const initContainers = records(spec['initContainers']).map((container) => withMount(container, name));
  return {
    ...spec,
    containers,
    ...(initContainers.length > 0 && { initContainers }),
    volumes: [...records(spec['volumes']), tokenVolume(name)],
  };
}

const notReadyTolerations = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

function withTolerations(spec: Record<string, unknown>): Record<string, unknown> {
  const present = records(spec['tolerations']);
  const missing = notReadyTolerations.filter(
    (key) =>
      !present.some(
        (toleration) =>
          (toleration['key'] === key || toleration['key'] === undefined || toleration['key'] === '') &&
          (toleration['effect'] === 'NoExecute' || toleration['effect'] === undefined || toleration['effect'] === ''),
      ),
  );
  if (missing.length === 0) return spec;
  const added = missing.map((key) => ({ effect: 'NoExecute', key, operator: 'Exists', tolerationSeconds: 300 }));
  return { ...spec, tolerations: [...present, ...added] };
}

const pods = { group: '', plural: 'pods' } as const;

/** @throws Refusal 403 where the pod says something else than its class */
function withPriority(pod: KubeObject, spec: Record<string, unknown>, { cluster }: Preparation) {
  const name = typeof spec['priorityClassName'] === 'string' ? spec['priorityClassName'] : '';
  const found = cluster.store.get({ resource: 'priorityclasses.scheduling.k8s.io', namespace: '', name });
  if (name !== '' && found === undefined)
    throw forbidden(pods, '', { why: `no PriorityClass with name ${name} was found` });
  const priority = Number(found?.['value'] ?? 0);
  const policy = stringAt(found, 'preemptionPolicy') ?? 'PreemptLowerPriority';
  const refuse = (what: string, computed: string): never => {
    const why = `the ${what} must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`;
    throw forbidden(pods, pod.metadata.name ?? '', { why });
  };
  const given = numberAt(spec, 'priority') ?? priority;
  if (given !== priority) refuse(`integer value of priority (${given})`, String(priority));
  const wanted = stringAt(spec, 'preemptionPolicy') ?? policy;
  if (wanted !== policy) refuse(`string value of PreemptionPolicy (${wanted})`, policy);
  return { ...spec, priority, preemptionPolicy: policy };
}

/** The admission plugin RuntimeClass: a class must be there. */
function checkRuntimeClass(pod: KubeObject, spec: Record<string, unknown>, { cluster }: Preparation): void {
  const name = spec['runtimeClassName'];
  if (typeof name !== 'string') return;
  if (cluster.store.get({ resource: 'runtimeclasses.node.k8s.io', namespace: '', name }) !== undefined) return;
  const why = `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`;
  throw forbidden(pods, pod.metadata.name ?? '', { why });
}

/** A negative grace period counts as one second. */
function withGrace(spec: Record<string, unknown>): Record<string, unknown> {
  const grace = spec['terminationGracePeriodSeconds'];
  return typeof grace === 'number' && grace < 0 ? { ...spec, terminationGracePeriodSeconds: 1 } : spec;
}

/** The admission plugins DefaultTolerationSeconds and Priority look at changed pods, too: what was computed is kept. */
export function admitChangedPod(pod: KubeObject, old: KubeObject): KubeObject {
  const spec = isRecord(pod['spec']) ? pod['spec'] : {};
  const before = isRecord(old['spec']) ? old['spec'] : {};
  const computed = ['priority', 'preemptionPolicy'].filter((field) => spec[field] === undefined && field in before);
  const kept = Object.fromEntries(computed.map((field) => [field, before[field]]));
  return { ...pod, spec: withGrace({ ...withTolerations(spec), ...kept }) };
}

/** What the admission plugins ServiceAccount, DefaultTolerationSeconds and Priority add to a pod. */
export function admitPod(pod: KubeObject, preparation: Preparation): KubeObject {
  const { cluster, namespace } = preparation;
  const spec = isRecord(pod['spec']) ? pod['spec'] : {};
  const named = typeof spec['serviceAccountName'] === 'string' ? spec['serviceAccountName'] : '';
  const accountName = named === '' ? 'default' : named;
  const account = cluster.store.get({ resource: 'serviceaccounts', namespace, name: accountName });
  if (account === undefined)
    throw forbidden({ group: '', plural: 'pods' }, pod.metadata.name ?? '', {
      why: `error looking up service account ${namespace}/${accountName}: serviceaccount ${JSON.stringify(accountName)} not found`,
    });
  const pullSecrets = spec['imagePullSecrets'] ?? account['imagePullSecrets'];
  const withAccount = {
    ...spec,
    serviceAccountName: accountName,
    serviceAccount: accountName,
    ...(pullSecrets !== undefined && { imagePullSecrets: pullSecrets }),
  };
  const ranked = withPriority(pod, withTolerations(withAccount), preparation);
  checkRuntimeClass(pod, spec, preparation);
  return { ...pod, spec: withToken(ranked, account, cluster.random) };
}

const quantities = (container: Record<string, unknown>, part: 'limits' | 'requests'): Record<string, unknown> => {
  const found = at(container, 'resources', part);
  return isRecord(found) ? found : {};
};

/** The quality-of-service class that follows from requests and limits. */
function qosOf(pod: KubeObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...records(at(pod, 'spec', 'containers')), ...records(at(pod, 'spec', 'initContainers'))];
  const measured = ['cpu', 'memory'];
  const some = containers.some((container) =>
    measured.some((what) => what in quantities(container, 'limits') || what in quantities(container, 'requests')),
  );
  if (!some) return 'BestEffort';
  const guaranteed = containers.every((container) => {
    const [limits, requests] = [quantities(container, 'limits'), quantities(container, 'requests')];
    return measured.every(
      (what) => what in limits && (requests[what] === undefined || equal(requests[what], limits[what])),
    );
  });
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** Whether something is to happen before a pod may be scheduled. */
export const isGated = (pod: KubeObject): boolean => records(at(pod, 'spec', 'schedulingGates')).length > 0;

/** The first status of a pod. */
export function prepareNewPod(pod: KubeObject, { cluster }: Preparation): KubeObject {
  const spec = isRecord(pod['spec']) ? pod['spec'] : {};
  const condition = {
    ...{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' },
    message: 'Scheduling is blocked due to non-empty scheduling gates',
    ...{ lastProbeTime: null, lastTransitionTime: timeText(cluster.clock.now()) },
  };
  return {
    ...pod,
    spec: withGrace(spec),
    status: { phase: 'Pending', qosClass: qosOf(pod), ...(isGated(pod) && { conditions: [condition] }) },
  };
}
