import { at, isRecord, type KubeObject } from '@tiphys/api';
import { equal } from '../equal.ts';
import { randomSuffix } from '../names.ts';
import { forbidden } from '../refusal.ts';
import type { Preparation } from '../cluster.ts';

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

function withPriority(spec: Record<string, unknown>, { cluster }: Preparation): Record<string, unknown> {
  const name = spec['priorityClassName'];
  if (typeof name !== 'string' || name === '')
    return { ...spec, priority: 0, preemptionPolicy: spec['preemptionPolicy'] ?? 'PreemptLowerPriority' };
  const found = cluster.store.get({ resource: 'priorityclasses.scheduling.k8s.io', namespace: '', name });
  if (found === undefined)
    throw forbidden({ group: '', plural: 'pods' }, '', {
      why: `no PriorityClass with name ${name} was found`,
    });
  return {
    ...spec,
    priority: found['value'],
    preemptionPolicy: spec['preemptionPolicy'] ?? found['preemptionPolicy'] ?? 'PreemptLowerPriority',
  };
}

/** The admission plugin DefaultTolerationSeconds looks at changed pods, too. */
export function admitChangedPod(pod: KubeObject): KubeObject {
  const spec = isRecord(pod['spec']) ? pod['spec'] : {};
  return { ...pod, spec: withTolerations(spec) };
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
  const complete = withToken(withPriority(withTolerations(withAccount), preparation), account, cluster.random);
  return { ...pod, spec: complete };
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

/** The first status of a pod. */
export const prepareNewPod = (pod: KubeObject): KubeObject => ({
  ...pod,
  status: { phase: 'Pending', qosClass: qosOf(pod) },
});
