import type { KubeObject } from '@tiphys/api';
import { defaultRoles } from './authorization/default-roles.ts';
import { ownWrite, timeText, type Cluster } from './cluster.ts';
import { createObject } from './operations/create.ts';
import { storageKey } from './type-registry.ts';

const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/** The certificate authority that pods trust, as every namespace has it. */
export const rootCertificates = (caPem: string, inNamespace: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'kube-root-ca.crt',
    namespace: inNamespace,
    annotations: {
      'kubernetes.io/description':
        'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
    },
  },
  data: { 'ca.crt': caPem },
});

/** The service account that pods of a namespace run as. */
export const defaultAccount = (inNamespace: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'default', namespace: inNamespace },
});

const apiService: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'kubernetes',
    namespace: 'default',
    labels: { component: 'apiserver', provider: 'kubernetes' },
  },
  spec: {
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1'],
    type: 'ClusterIP',
    ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
  },
};

const size = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '1Ti', pods: '10k' };

const nodeConditions: readonly (readonly [type: string, status: string, reason: string, message: string])[] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'simulated kubelet is posting ready status'],
];

function node(index: number, now: string): KubeObject {
  const name = `node-${index}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/zone': `zone-${index}`,
      },
    },
    spec: { podCIDR: `10.244.${index}.0/24`, podCIDRs: [`10.244.${index}.0/24`] },
    status: {
      addresses: [
        { type: 'InternalIP', address: `10.0.0.${index + 2}` },
        { type: 'Hostname', address: name },
      ],
      allocatable: size,
      capacity: size,
      conditions: nodeConditions.map(([type, status, reason, message]) => ({
        type,
        status,
        reason,
        message,
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      })),
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        architecture: 'amd64',
        bootID: '',
        containerRuntimeVersion: 'simulated://1',
        kernelVersion: '',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.35.4',
        machineID: '',
        operatingSystem: 'linux',
        osImage: 'simulated',
        systemUUID: '',
      },
    },
  };
}

const storageClass: KubeObject = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'sim.tiphys.dev/volumes',
};

const priorityClass = (name: string, value: number): KubeObject => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value,
});

/** Creates what every cluster has and this one still lacks. */
export function seed(cluster: Cluster, caPem: string): void {
  const namespaces = ['kube-system', 'default', 'kube-public', 'kube-node-lease'];
  const now = timeText(cluster.clock.now());
  const objects = [
    ...namespaces.map(namespace),
    ...namespaces.flatMap((name) => [defaultAccount(name), rootCertificates(caPem, name)]),
    priorityClass('system-cluster-critical', 2_000_000_000),
    priorityClass('system-node-critical', 2_000_001_000),
    node(0, now),
    node(1, now),
    storageClass,
    apiService,
    ...defaultRoles(),
  ];
  for (const object of objects) {
    const type = cluster.types.ofKind(object);
    if (type === undefined) continue;
    const { namespace: inNamespace = '', name = '' } = object.metadata;
    if (cluster.store.get({ resource: storageKey(type), namespace: inNamespace, name }) !== undefined) continue;
    createObject(cluster, { type, namespace: inNamespace, name }, { object, options: ownWrite('kube-apiserver') });
  }
}
