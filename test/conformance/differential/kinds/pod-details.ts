/** Parts of a pod that are seldom written, right and wrong ones. */

const term = (more: object = {}): object => ({
  topologyKey: 'zone',
  labelSelector: { matchLabels: { app: 'x' } },
  ...more,
});
const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
const soft = 'preferredDuringSchedulingIgnoredDuringExecution';
const nodeTerm = (key: string, operator: string, values?: readonly string[]): object => ({
  matchExpressions: [{ key, operator, ...(values !== undefined && { values }) }],
});
const nodeHard = (...terms: readonly object[]): object => ({ nodeAffinity: { [hard]: { nodeSelectorTerms: terms } } });

export const affinities: readonly unknown[] = [
  {},
  null,
  { podAntiAffinity: { [soft]: [{ weight: 1, podAffinityTerm: term() }] } },
  { podAffinity: { [hard]: [term({ namespaces: ['a', 'b'] })] } },
  { podAffinity: { [hard]: [term({ topologyKey: '' })] } },
  { podAffinity: { [hard]: [{ topologyKey: 'a b', labelSelector: {} }] } },
  { podAffinity: { [hard]: [term({ namespaces: ['Not_Valid'] })] } },
  { podAffinity: { [hard]: [term({ namespaceSelector: { matchLabels: { 'bad key!': 'x' } } })] } },
  {
    podAffinity: {
      [hard]: [{ topologyKey: 'zone', labelSelector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } }],
    },
  },
  { podAntiAffinity: { [soft]: [{ weight: 0, podAffinityTerm: term() }] } },
  { podAntiAffinity: { [soft]: [{ weight: 101, podAffinityTerm: term({ topologyKey: '' }) }] } },
  { podAntiAffinity: { [hard]: [term({ matchLabelKeys: ['a'], mismatchLabelKeys: ['b'] })] } },
  { podAntiAffinity: { [hard]: [term({ matchLabelKeys: ['a'], mismatchLabelKeys: ['a'] })] } },
  { podAntiAffinity: { [hard]: [{ topologyKey: 'zone', matchLabelKeys: ['a'] }] } },
  { podAntiAffinity: { [hard]: [term({ matchLabelKeys: ['bad key!'] })] } },
  { podAntiAffinity: { [hard]: [term({ matchLabelKeys: ['app'] })] } },
  nodeHard(nodeTerm('disk', 'In', ['ssd'])),
  nodeHard(nodeTerm('disk', 'In')),
  nodeHard(nodeTerm('disk', 'Exists', ['x'])),
  nodeHard(nodeTerm('disk', 'Gt', ['x'])),
  nodeHard(nodeTerm('disk', 'Gt', ['1', '2'])),
  nodeHard(nodeTerm('disk', 'Lt', ['5'])),
  nodeHard(nodeTerm('bad key!', 'Near', ['x'])),
  nodeHard(nodeTerm('disk', 'In', ['not valid!'])),
  nodeHard(),
  nodeHard({}),
  nodeHard({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-0'] }] }),
  nodeHard({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a', 'b'] }] }),
  nodeHard({ matchFields: [{ key: 'metadata.name', operator: 'Exists', values: ['a'] }] }),
  nodeHard({ matchFields: [{ key: 'metadata.uid', operator: 'NotIn', values: ['a'] }] }),
  { nodeAffinity: { [soft]: [{ weight: 1, preference: nodeTerm('disk', 'DoesNotExist') }] } },
  { nodeAffinity: { [soft]: [{ weight: 500, preference: nodeTerm('disk', 'Near') }] } },
  { nodeAffinity: { [soft]: [{ weight: 0, preference: {} }] } },
];

export const podSecurityContexts: readonly unknown[] = [
  {},
  { runAsUser: 1000, fsGroup: 0 },
  { runAsUser: -1 },
  { runAsGroup: -5, fsGroup: -1 },
  { supplementalGroups: [1, -2] },
  { runAsNonRoot: true, runAsUser: 0 },
  { sysctls: [] },
  { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '0' }] },
  {
    sysctls: [
      { name: 'net/ipv4/ip_forward', value: '1' },
      { name: 'net.ipv4.ip_forward', value: '1' },
    ],
  },
  { sysctls: [{ name: '', value: '1' }] },
  { sysctls: [{ name: 'Bad Name', value: '1' }] },
  { sysctls: [{ name: 'kernel.sem', value: '' }] },
  { seccompProfile: { type: 'RuntimeDefault' } },
  { seccompProfile: { type: 'Odd' } },
  { seccompProfile: { type: 'Localhost' } },
  { seccompProfile: { type: 'Localhost', localhostProfile: '../x' } },
  { seccompProfile: { type: 'Localhost', localhostProfile: '/x' } },
  { seccompProfile: { type: 'RuntimeDefault', localhostProfile: 'x' } },
  { appArmorProfile: { type: 'RuntimeDefault' } },
  { appArmorProfile: { type: 'Odd' } },
  { appArmorProfile: { type: 'Localhost' } },
  { appArmorProfile: { type: 'Localhost', localhostProfile: ' a ' } },
  { appArmorProfile: { type: 'Unconfined', localhostProfile: 'a' } },
  { fsGroupChangePolicy: 'OnRootMismatch' },
  { fsGroupChangePolicy: 'Odd' },
  { supplementalGroupsPolicy: 'Strict' },
  { supplementalGroupsPolicy: 'Odd' },
  { seLinuxOptions: { level: 's0:c1,c2' } },
  { seLinuxChangePolicy: 'Odd' },
  { windowsOptions: { gmsaCredentialSpecName: 'Bad_Name' } },
  { windowsOptions: { runAsUserName: '' } },
  { hostUsers: false },
];

export const containerSecurityContexts: readonly unknown[] = [
  {},
  { runAsUser: -1 },
  { runAsGroup: -1, procMount: 'Odd' },
  { procMount: 'Unmasked' },
  { privileged: true, allowPrivilegeEscalation: false },
  { capabilities: { add: ['CAP_SYS_ADMIN'] }, allowPrivilegeEscalation: false },
  { capabilities: { add: ['SYS_ADMIN'], drop: ['ALL'] } },
  { seccompProfile: { type: 'Odd' } },
  { appArmorProfile: { type: 'Localhost', localhostProfile: '' } },
  { readOnlyRootFilesystem: true },
];

export const dnsConfigs: readonly unknown[] = [
  {},
  { nameservers: ['10.0.0.1'], searches: ['example.com'], options: [{ name: 'ndots', value: '2' }] },
  { nameservers: ['nowhere'] },
  { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] },
  { searches: ['Not_Valid!'] },
  { searches: ['a.', '.', 'under_score.example.com'] },
  { options: [{ name: '' }] },
];

export const spreads: readonly unknown[] = [
  [],
  [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: 'x' } },
    },
  ],
  [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Sometimes' }],
  [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
    { maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
  ],
  [{ maxSkew: 1, topologyKey: 'a b', whenUnsatisfiable: 'DoNotSchedule', minDomains: 0 }],
  [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 }],
  [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      nodeAffinityPolicy: 'Odd',
      nodeTaintsPolicy: 'Odd',
    },
  ],
  [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', matchLabelKeys: ['a'] }],
  [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      matchLabelKeys: ['bad key!'],
      labelSelector: {},
    },
  ],
  [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { 'bad key!': '' } },
    },
  ],
];

export const tolerations: readonly unknown[] = [
  [{ key: 'a', operator: 'Exists' }],
  [],
  [{ operator: 'Exists', effect: 'NoSchedule' }],
  [{}],
  [{ key: 'a', operator: 'Exists', effect: 'Odd' }],
  [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 }],
  [{ key: 'a', value: 'not valid!' }],
  [{ key: 'a', operator: 'Near' }],
];

const source = (name: string, body: object): object => ({ name: 'v', [name]: body });

export const rareVolumes: readonly unknown[] = [
  [source('nfs', { server: '', path: '' })],
  [source('nfs', { server: 's', path: 'relative' })],
  [source('iscsi', { targetPortal: '', iqn: '', lun: 0 })],
  [source('iscsi', { targetPortal: 'p', iqn: 'iqn.x', lun: 300 })],
  [source('csi', { driver: '' })],
  [source('csi', { driver: 'Bad Name' })],
  [source('ephemeral', {})],
  [
    source('ephemeral', {
      volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    }),
  ],
  [source('ephemeral', { volumeClaimTemplate: { spec: {} } })],
  [source('image', { reference: '' })],
  [source('image', { reference: 'x', pullPolicy: 'Odd' })],
  [source('emptyDir', { sizeLimit: '-1' })],
  [source('hostPath', { path: '/a/../b' })],
  [source('hostPath', { path: '/a', type: 'Odd' })],
  [source('configMap', { name: 'c', defaultMode: 1000 })],
  [source('configMap', { name: 'c', items: [{ key: 'a', path: '../b' }] })],
  [source('configMap', { name: 'c', items: [{ key: 'a', path: '/b', mode: 999 }] })],
  [source('secret', { secretName: 's', defaultMode: -1, items: [{ key: 'a', path: 'b/../c' }] })],
  [source('downwardAPI', { items: [{ path: 'a' }] })],
  [source('downwardAPI', { items: [{ path: 'a', fieldRef: { fieldPath: 'spec.nodeName' } }] })],
  [source('downwardAPI', { items: [{ path: 'a', fieldRef: { fieldPath: "metadata.labels['x']" } }] })],
  [
    source('downwardAPI', {
      items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name' }, resourceFieldRef: { resource: 'limits.cpu' } }],
    }),
  ],
  [source('downwardAPI', { items: [{ path: 'a', resourceFieldRef: { resource: 'limits.cpu' } }] })],
  [
    source('downwardAPI', {
      items: [{ path: 'a', resourceFieldRef: { containerName: 'main', resource: 'limits.gpu' } }],
    }),
  ],
  [source('projected', { sources: [{}] })],
  [source('projected', { sources: [{ serviceAccountToken: { path: '', expirationSeconds: 5 } }] })],
  [
    source('projected', {
      sources: [{ serviceAccountToken: { path: 'a' } }, { configMap: { name: '', items: [{ key: 'x', path: 'a' }] } }],
    }),
  ],
  [source('projected', { sources: [{ secret: { name: 's' }, configMap: { name: 'c' } }] })],
  [source('projected', { defaultMode: 4000, sources: [] })],
  [source('gitRepo', { repository: '' })],
  [source('fc', {})],
  [source('glusterfs', { endpoints: '', path: '' })],
  [source('rbd', { image: '', monitors: [] })],
  [source('cephfs', { monitors: [] })],
  [source('flexVolume', { driver: '' })],
  [source('azureDisk', { diskName: '', diskURI: '' })],
  [source('azureFile', { secretName: '', shareName: '' })],
  [source('awsElasticBlockStore', { volumeID: '' })],
  [source('gcePersistentDisk', { pdName: '' })],
  [source('vsphereVolume', { volumePath: '' })],
  [source('cinder', { volumeID: '' })],
];

export const hostAliases: readonly unknown[] = [
  [{ ip: '10.0.0.1', hostnames: ['a', 'b'] }],
  [],
  [{ ip: 'nonsense', hostnames: ['Bad_Name'] }],
  [{ ip: '10.0.0.1' }],
];

/** Other fields of a pod's spec, by name. */
export const podExtras: Readonly<Record<string, readonly unknown[]>> = {
  hostname: ['web', 'Bad_Name'],
  subdomain: ['sub', 'a.b'],
  setHostnameAsFQDN: [true],
  readinessGates: [[{ conditionType: 'example.com/ready' }], [{ conditionType: 'bad type!' }], []],
  schedulingGates: [[{ name: 'example.com/wait' }], [{ name: 'bad name!' }], [{ name: 'a' }, { name: 'a' }]],
  preemptionPolicy: ['Never', 'Odd'],
  os: [{ name: 'linux' }, { name: 'plan9' }],
  shareProcessNamespace: [true, false],
  hostPID: [true],
  runtimeClassName: ['Bad_Name'],
  enableServiceLinks: [false],
  overhead: [{ cpu: '-1' }],
  priority: [5],
  terminationGracePeriodSeconds: [-1, 0],
};

export const lifecycles: readonly unknown[] = [
  { preStop: { exec: { command: ['sleep', '1'] } } },
  { preStop: {} },
  { preStop: { exec: { command: [] } } },
  { postStart: { httpGet: { port: 0, path: 'x' } } },
  { preStop: { sleep: { seconds: 0 } } },
  { preStop: { sleep: { seconds: 500 } } },
  { preStop: { exec: { command: ['a'] }, tcpSocket: { port: 5 } } },
];

export const probes: readonly unknown[] = [
  { httpGet: { port: 80, path: '', scheme: 'FTP' } },
  { httpGet: { port: 80, host: 'h', httpHeaders: [{ name: 'bad name', value: 'x' }] } },
  { grpc: { port: 0 } },
  { grpc: { port: 5, service: 's' } },
  { exec: { command: ['x'] }, terminationGracePeriodSeconds: 0 },
  { tcpSocket: { port: 70000 } },
  { tcpSocket: { port: 'BAD' } },
  { exec: { command: ['x'] }, timeoutSeconds: -1 },
];

export const environments: readonly unknown[] = [
  [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nothing' } } }],
  [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }],
  [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['Bad Key!']" } } }],
  [{ name: 'A', valueFrom: { fieldRef: { fieldPath: '', apiVersion: 'v2' } } }],
  [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } }],
  [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '3' } } }],
  [{ name: 'A', valueFrom: { configMapKeyRef: { name: '', key: 'bad key!' } } }],
  [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: '..' } } }],
];

export const environmentSources: readonly unknown[] = [
  [{ configMapRef: { name: 'c' } }, { prefix: 'P_', secretRef: { name: 's' } }],
  [{}],
  [{ configMapRef: { name: 'c' }, secretRef: { name: 's' } }],
  [{ prefix: 'a=b', configMapRef: { name: '' } }],
];

export const mounts: readonly unknown[] = [
  [{ name: 'none', mountPath: '/a' }],
  [{ name: 'empty', mountPath: '/a', subPath: '../x' }],
  [{ name: 'empty', mountPath: 'a:b', subPath: 'x', subPathExpr: '$(A)' }],
  [{ name: 'empty', mountPath: '/a', mountPropagation: 'Odd' }],
  [{ name: 'empty', mountPath: '/a', recursiveReadOnly: 'Enabled' }],
];

export const containerResources: readonly unknown[] = [
  { limits: { 'hugepages-2Mi': '2Mi' } },
  { limits: { gpu: '1' } },
  { requests: { 'example.com/gpu': '1' } },
  { limits: { 'example.com/gpu': '1.5' } },
  { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '2' } },
  { claims: [{ name: 'c' }] },
  { requests: { storage: '1Gi' } },
];

/** Everything of the above as pods' specs, with what it is of. */
export function podDetails(): readonly (readonly [what: string, spec: Record<string, unknown>])[] {
  const main = (more: object = {}): object => ({ name: 'main', image: 'x', ...more });
  const empty = { volumes: [{ name: 'empty', emptyDir: {} }] };
  const ofSpec = (field: string, values: readonly unknown[]) =>
    values.map((value) => [field, { containers: [main()], [field]: value }] as const);
  const ofContainer = (field: string, values: readonly unknown[]) =>
    values.map((value) => [field, { ...empty, containers: [main({ [field]: value })] }] as const);
  return [
    ...ofSpec('affinity', affinities),
    ...ofSpec('securityContext', podSecurityContexts),
    ...ofSpec('dnsConfig', dnsConfigs),
    ['dnsPolicy', { containers: [main()], dnsPolicy: 'None' }],
    ...ofSpec('topologySpreadConstraints', spreads),
    ...ofSpec('tolerations', tolerations),
    ...ofSpec('volumes', rareVolumes),
    ...ofSpec('hostAliases', hostAliases),
    ...Object.entries(podExtras).flatMap(([field, values]) => ofSpec(field, values)),
    ...ofContainer('securityContext', containerSecurityContexts),
    ...ofContainer('lifecycle', lifecycles),
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((field) => ofContainer(field, probes)),
    ...ofContainer('env', environments),
    ...ofContainer('envFrom', environmentSources),
    ...ofContainer('volumeMounts', mounts),
    ...ofContainer('resources', containerResources),
  ];
}
