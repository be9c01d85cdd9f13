import { field, type TestedKind } from './field.ts';
import { container, podFields, templateBase } from './pods.ts';

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

/** Kinds of the core group. */
export const coreKinds: readonly TestedKind[] = [
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
];
