import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  keyOf,
  keyText,
  type KubeObject,
  parseYaml,
  stringifyJson,
  asObject,
  withTracking,
  type TrackingSettings,
} from '@tiphys/api';
import { compareObject, type CompareSettings } from './compare-object.ts';
import { diff, type DiffPolicy } from './diff.ts';
import { unsupportedIgnores } from './ignore.ts';
import { openCompareMemory } from './memory.ts';
import { defaultCompareOptions } from './normalise.ts';

const settings: CompareSettings = { options: defaultCompareOptions, ignore: [] };
const tracking: TrackingSettings = {
  method: 'annotation',
  instanceLabelKey: 'app.kubernetes.io/instance',
  installationId: '',
};
const policy: DiffPolicy = { ...settings, application: 'shop', tracking };
const object = (yaml: string): KubeObject => asObject(parseYaml(yaml));
const liveMap = (...objects: KubeObject[]): Map<string, KubeObject> =>
  new Map(objects.map((o) => [keyText(keyOf(o)), o]));

const paths = (desired: string, live: string, more: Partial<CompareSettings> = {}): string[] =>
  compareObject(object(desired), object(live), { ...settings, ...more }).differences.map(
    ({ kind, path }) => `${kind} ${path}`,
  );

/** A live object that we applied from this text before. */
const applied = (yaml: string, liveYaml: string): KubeObject => {
  const live = object(liveYaml);
  const annotations = {
    ...live.metadata.annotations,
    'kubectl.kubernetes.io/last-applied-configuration': stringifyJson(object(yaml)),
  };
  return { ...live, metadata: { ...live.metadata, annotations } };
};

const deployment = (spec: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: n}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
${spec}`;

const liveDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: n
  uid: u1
  resourceVersion: "7"
  generation: 1
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations: {deployment.kubernetes.io/revision: "1"}
spec:
  replicas: 1
  progressDeadlineSeconds: 600
  revisionHistoryLimit: 10
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
  template:
    metadata: {labels: {app: web}}
    spec:
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      schedulerName: default-scheduler
      securityContext: {}
      terminationGracePeriodSeconds: 30
      containers:
      - name: web
        image: nginx:1
        imagePullPolicy: IfNotPresent
        terminationMessagePath: /dev/termination-log
        terminationMessagePolicy: File
        ports: [{containerPort: 80, protocol: TCP}]
        env: [{name: EMPTY}, {name: B, value: b}]
        resources: {limits: {cpu: "1", memory: 1Gi}}
status: {replicas: 1}
`;

test('DIFF-01 defaults that the API server added do not count', () => {
  const desired = deployment(`
      hostNetwork: false
      containers:
      - {name: web, image: "nginx:1", ports: [{containerPort: 80}], env: [{name: EMPTY, value: ""}, {name: B, value: b}]}`);
  assert.deepEqual(paths(desired, liveDeployment), []);
});

test('DIFF-14 quantities, and what is omitted or empty, are equal', () => {
  const desired = deployment(`
      tolerations: []
      nodeSelector: {}
      containers:
      - {name: web, image: "nginx:1", stdin: false, args: null, resources: {limits: {cpu: 1000m, memory: 1024Mi}}}`);
  assert.deepEqual(paths(desired, liveDeployment), []);
  const number = deployment(`
      containers: [{name: web, image: "nginx:1", resources: {limits: {cpu: 1}}}]`);
  assert.deepEqual(paths(number, liveDeployment), []);
  const other = deployment(`
      containers: [{name: web, image: "nginx:1", resources: {limits: {cpu: 1001m}}}]`);
  assert.deepEqual(paths(other, liveDeployment), ['different /spec/template/spec/containers/0/resources/limits/cpu']);
});

test('DIFF-14 a pointer that is zero does not mean the same as silence', () => {
  const desired = deployment(`
      automountServiceAccountToken: false
      containers: [{name: web, image: "nginx:1"}]`);
  assert.deepEqual(paths(desired, liveDeployment), ['missing /spec/template/spec/automountServiceAccountToken']);
});

test('DIFF-01 list elements are matched by their keys, not by position', () => {
  const live = deployment(`
      containers:
      - {name: injected, image: "proxy:1"}
      - {name: web, image: "nginx:2"}`);
  const desired = deployment(`
      containers: [{name: web, image: "nginx:1"}]`);
  assert.deepEqual(paths(desired, live), ['different /spec/template/spec/containers/1/image']);
  const { after } = compareObject(object(desired), object(live), settings);
  assert.deepEqual(
    (after as unknown as { spec: { template: { spec: { containers: unknown } } } }).spec.template.spec.containers,
    [
      { name: 'injected', image: 'proxy:1' },
      { name: 'web', image: 'nginx:1' },
    ],
  );
});

test('DIFF-01 the order of variables and init containers counts, that of a set does not', () => {
  const live = deployment(`
      containers: [{name: web, image: a, env: [{name: A, value: "1"}, {name: B, value: "2"}]}]`);
  const desired = deployment(`
      containers: [{name: web, image: a, env: [{name: B, value: "2"}, {name: A, value: "1"}]}]`);
  assert.deepEqual(paths(desired, live), ['different /spec/template/spec/containers/0/env']);
});

test('DIFF-01 ports of one number and two protocols stay apart', () => {
  const service = (ports: string): string => `
apiVersion: v1
kind: Service
metadata: {name: dns, namespace: n}
spec: {ports: ${ports}}`;
  const live = service(
    '[{name: t, port: 53, protocol: TCP, targetPort: 53, nodePort: 30001}, {name: u, port: 53, protocol: UDP, targetPort: 53}]',
  );
  assert.deepEqual(paths(service('[{name: t, port: 53}, {name: u, port: 53, protocol: UDP}]'), live), []);
  assert.deepEqual(paths(service('[{name: t, port: 53}, {name: v, port: 53, protocol: UDP}]'), live), [
    'different /spec/ports/1/name',
  ]);
});

test('DIFF-01 a field that we set and no longer name is unwanted; what others set stays', () => {
  const before = `
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: n, labels: {mine: a}}
data: {a: "1", b: "2"}`;
  const live = applied(
    before,
    `
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: n, labels: {mine: a, theirs: b}}
data: {a: "1", b: "2", c: "3"}`,
  );
  const desired = object(`
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: n}
data: {a: "1"}`);
  const { differences, after } = compareObject(desired, live, settings);
  assert.deepEqual(differences, [
    { path: '/metadata/labels/mine', kind: 'unwanted' },
    { path: '/data/b', kind: 'unwanted' },
  ]);
  assert.deepEqual(after['data'], { a: '1', c: '3' });
  assert.deepEqual(after.metadata.labels, { theirs: 'b' });
});

test('DIFF-01 a field that another manager took over is no longer ours', () => {
  const before = deployment(`
      containers: [{name: web, image: a}]`).replace('spec:\n', 'spec:\n  replicas: 2\n');
  const live = applied(before, before.replace('replicas: 2', 'replicas: 5'));
  const desired = object(
    deployment(`
      containers: [{name: web, image: a}]`),
  );
  assert.deepEqual(compareObject(desired, live, settings).differences, [{ path: '/spec/replicas', kind: 'unwanted' }]);
  // The autoscaler holds spec.replicas now: our entry has everything else.
  const fields = { 'f:spec': { 'f:selector': {}, 'f:template': {} } };
  const managedFields = [{ manager: 'argocd-controller', operation: 'Update', fieldsV1: fields }];
  const taken = { ...live, metadata: { ...live.metadata, managedFields } };
  assert.deepEqual(compareObject(desired, taken, settings).differences, []);
});

test('DIFF-01 fields held by server-side apply are ours without the annotation', () => {
  const live = object(
    deployment(`
      containers: [{name: web, image: a, env: [{name: OLD, value: x}]}, {name: extra, image: b}]`),
  );
  const k = (name: string): string => `k:{"name":"${name}"}`;
  const env = { 'f:env': { [k('OLD')]: { '.': {}, 'f:name': {}, 'f:value': {} } } };
  const containers = {
    [k('web')]: { '.': {}, 'f:image': {}, 'f:name': {}, ...env },
    [k('extra')]: { '.': {}, 'f:name': {} },
  };
  const fieldsV1 = { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': containers } } } };
  const managedFields = [{ manager: 'argocd-controller', operation: 'Apply', fieldsV1 }];
  const desired = object(
    deployment(`
      containers: [{name: web, image: a}]`),
  );
  assert.deepEqual(
    compareObject(desired, { ...live, metadata: { ...live.metadata, managedFields } }, settings).differences.map(
      ({ path }) => path,
    ),
    ['/spec/template/spec/containers/0/env/0', '/spec/template/spec/containers/1'],
  );
});

test('DIFF-01 switching a union drops what belonged to the other branch', () => {
  const desired = deployment(`
      containers: [{name: web, image: "nginx:1"}]`).replace('spec:\n', 'spec:\n  strategy: {type: Recreate}\n');
  const { after, differences } = compareObject(object(desired), object(liveDeployment), settings);
  assert.deepEqual(
    differences.map(({ path }) => path),
    ['/spec/strategy/type', '/spec/strategy/rollingUpdate'],
  );
  assert.deepEqual((after['spec'] as Record<string, unknown>)['strategy'], { type: 'Recreate' });
});

test('DIFF-01 custom resources: silent fields in list elements do not count, lengths and values do', () => {
  const widget = (parts: string): string =>
    `{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}, spec: {open: false, parts: ${parts}}}`;
  assert.deepEqual(paths(widget('[{a: 1}]'), widget('[{a: 1, filledIn: 2}]')), []);
  assert.deepEqual(paths(widget('[{a: 1}]'), widget('[{a: 2}]')), ['different /spec/parts/0/a']);
  assert.deepEqual(paths(widget('[{a: 1}]'), widget('[{a: 1}, {a: 2}]')), ['different /spec/parts']);
  assert.deepEqual(paths(widget('[]'), '{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}, spec: {}}'), [
    'missing /spec/open',
    'missing /spec/parts',
  ]);
});

const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    'Secret stringData is data',
    '{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: hello}, data: {b: eA==}}',
    '{apiVersion: v1, kind: Secret, metadata: {name: s}, type: Opaque, data: {a: aGVsbG8=, b: eA==}}',
    [],
  ],
  [
    'Secret data over several lines',
    '{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: "aGVs\\nbG8=\\n"}}',
    '{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: aGVsbG8=}}',
    [],
  ],
  [
    'a Secret that changed',
    '{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: hello}}',
    '{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: eA==}}',
    ['different /data/a'],
  ],
  [
    'Role rules null and empty',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: []}',
    '{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: null}',
    [],
  ],
  [
    'Endpoints in another order',
    '{apiVersion: v1, kind: Endpoints, metadata: {name: e}, subsets: [{addresses: [{ip: 10.0.0.2}, {ip: 10.0.0.1}], ports: [{port: 1}]}]}',
    '{apiVersion: v1, kind: Endpoints, metadata: {name: e}, subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}], ports: [{port: 1, protocol: TCP}]}]}',
    [],
  ],
  [
    'status is not compared',
    '{apiVersion: example.com/v1, kind: W, metadata: {name: w}, status: {a: 1}}',
    '{apiVersion: example.com/v1, kind: W, metadata: {name: w}, status: {a: 2}}',
    [],
  ],
  [
    'creationTimestamp null from a generator',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, creationTimestamp: null}, data: {}}',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, creationTimestamp: "2026-01-01T00:00:00Z"}}',
    [],
  ],
  [
    'a webhook with an injected bundle',
    '{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: m}, webhooks: [{name: a.b.c, clientConfig: {service: {name: s, namespace: n}}}]}',
    '{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: m}, webhooks: [{name: a.b.c, clientConfig: {caBundle: QQ==, service: {name: s, namespace: n, port: 443}}, failurePolicy: Fail, namespaceSelector: {}}]}',
    [],
  ],
  [
    'an APIService with an injected bundle',
    '{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, spec: {group: g, version: v1, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: false}}',
    '{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, spec: {group: g, version: v1, groupPriorityMinimum: 1, versionPriority: 1, caBundle: QQ==}}',
    [],
  ],
  [
    'a definition with fields that the server drops',
    '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: d}, spec: {preserveUnknownFields: false, group: g, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {a: {type: integer, minimum: 0, default: 0, nullable: false}}}}}]}}',
    '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: d}, spec: {conversion: {strategy: None}, group: g, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {a: {type: integer, minimum: 0, default: 0}}}}}]}}',
    [],
  ],
  [
    'a namespace selector that means all',
    '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}}',
    '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}}',
    // The list is replaced whole, so what somebody else wrote into its element counts too.
    ['unwanted /spec/ingress/0/from/0/podSelector', 'missing /spec/ingress/0/from/0/namespaceSelector'],
  ],
  [
    'a label that was changed by hand',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {a: b}}}',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {a: c, d: e}}}',
    ['different /metadata/labels/a'],
  ],
];

for (const [name, desired, live, expected] of cases)
  test(`DIFF-14 ${name}`, () => assert.deepEqual(paths(desired, live), expected));

test('DIFF-14 rules of an aggregated role are left out when asked', () => {
  const role = (rules: string): string =>
    `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, aggregationRule: {}, rules: ${rules}}`;
  const options = { ...defaultCompareOptions, ignoreAggregatedRoles: true };
  assert.deepEqual(paths(role('[{verbs: [get]}]'), role('[]')), ['different /rules']);
  assert.deepEqual(paths(role('[{verbs: [get]}]'), role('[]'), { options }), []);
});

test('DIFF-06 fields named by a JSON pointer do not count', () => {
  const desired = deployment(`
      containers: [{name: web, image: "nginx:1"}]`).replace('spec:\n', 'spec:\n  replicas: 1\n');
  const live = liveDeployment.replace('replicas: 1\n  progress', 'replicas: 4\n  progress');
  assert.deepEqual(paths(desired, live), ['different /spec/replicas']);
  const ignoring = (rule: object): string[] => paths(desired, live, { ignore: [{ kind: 'Deployment', ...rule }] });
  assert.deepEqual(ignoring({ group: 'apps', jsonPointers: ['/spec/replicas'] }), []);
  assert.deepEqual(ignoring({ group: '*', kind: '*', jsonPointers: ['/spec/replicas'] }), []);
  assert.deepEqual(ignoring({ group: 'apps', name: 'other', jsonPointers: ['/spec/replicas'] }), [
    'different /spec/replicas',
  ]);
  assert.deepEqual(ignoring({ group: '', jsonPointers: ['/spec/replicas'] }), ['different /spec/replicas']);
  assert.deepEqual(ignoring({ group: 'apps', jsonPointers: ['/spec/nowhere', 'spec/replicas'] }), [
    'different /spec/replicas',
  ]);
});

test('DIFF-06 escapes and list positions in a pointer', () => {
  const live = '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {a.b/c: x, "~": y}}}';
  const desired = '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {a.b/c: z, "~": z}}}';
  const ignore = [{ kind: 'ConfigMap', jsonPointers: ['/metadata/annotations/a.b~1c', '/metadata/annotations/~0'] }];
  assert.deepEqual(paths(desired, live, { ignore }), []);
});

const configMap = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n', ...more },
});
const ours = (one: KubeObject): KubeObject => withTracking(one, 'shop', tracking);
const kinds = (desired: KubeObject[], live: KubeObject[], more: Partial<DiffPolicy> = {}): string[] =>
  diff(desired, liveMap(...live), { ...policy, ...more }).map(({ kind, key }) => `${kind} ${key.name}`);

test('DIFF-02 changed, missing, extra and equal', () => {
  const desired = ['new', 'same', 'changed'].map((name) => ours(configMap(name)));
  const live = [ours(configMap('same')), configMap('changed'), ours(configMap('old'))];
  assert.deepEqual(kinds(desired, live), ['create new', 'keep same', 'update changed', 'prune old']);
});

test('DIFF-03 only objects with our own mark are extra', () => {
  const copied = { ...ours(configMap('a')), metadata: { ...ours(configMap('a')).metadata, name: 'copy' } };
  const foreign = withTracking(configMap('foreign'), 'other', tracking);
  const owned = ours(configMap('owned', { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }] }));
  assert.deepEqual(kinds([], [configMap('plain'), copied, foreign, owned]), []);
});

test('DIFF-03 an application never prunes itself', () => {
  const self = ours({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
  });
  assert.deepEqual(kinds([], [self], { self: keyOf(self) }), []);
  assert.deepEqual(kinds([], [self]), ['prune shop']);
});

test('DIFF-13 hooks are neither compared nor extra', () => {
  const hook = ours(configMap('hook', { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } }));
  const helmTest = configMap('test', { annotations: { 'helm.sh/hook': 'test' } });
  const skipped = configMap('skip', { annotations: { 'argocd.argoproj.io/hook': 'Skip' } });
  assert.deepEqual(kinds([hook, helmTest, skipped], []), []);
  assert.deepEqual(kinds([hook], [hook]), ['hook hook']);
});

test('DIFF-02 an extra object marked IgnoreExtraneous is shown but no reason to be OutOfSync', () => {
  const extra = ours(configMap('x', { annotations: { 'argocd.argoproj.io/compare-options': 'IgnoreExtraneous' } }));
  assert.deepEqual(kinds([], [extra]), ['ignore x']);
});

test('DIFF-01 an unchanged pair is compared once', () => {
  const memory = openCompareMemory();
  const desired = [ours(configMap('a'))];
  const live = liveMap({
    ...ours(configMap('a')),
    metadata: { ...ours(configMap('a')).metadata, uid: 'u', resourceVersion: '1' },
  });
  for (let round = 0; round < 3; round += 1) diff(desired, live, { ...policy, memory });
  assert.deepEqual(memory.counts, { found: 2, compared: 1, entries: 1 });
  diff(desired, live, { ...policy, memory, ignore: [{ kind: 'ConfigMap', jsonPointers: ['/data'] }] });
  assert.equal(memory.counts.compared, 2);
});

test('DIFF-06 rules that are not honoured are told where they speak of an object', () => {
  const rules = [
    { group: 'apps', kind: 'Deployment', jqPathExpressions: ['.spec.replicas'] },
    { kind: 'ConfigMap', managedFieldsManagers: ['helm'] },
    { group: 'apps', kind: '*', jsonPointers: ['/spec/replicas', 'spec/replicas'] },
    { kind: 'Service', jqPathExpressions: ['.spec'] },
  ];
  const objects = [object(liveDeployment), object('{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}')];
  assert.deepEqual(
    unsupportedIgnores(rules, objects).map(({ code, object: kind }) => `${code} ${kind ?? ''}`),
    [
      'ignore-jq-unsupported apps/Deployment',
      'ignore-managers-unsupported ConfigMap',
      'ignore-pointer-malformed apps/*',
    ],
  );
});

test('DIFF-02 an object in a version that the cluster does not serve differs from what is there', () => {
  const pdb = (version: string): KubeObject =>
    object(
      `{apiVersion: ${version}, kind: PodDisruptionBudget, metadata: {name: p, namespace: n}, spec: {minAvailable: 1}}`,
    );
  const [change] = diff([pdb('policy/v1beta1')], liveMap(pdb('policy/v1')), policy);
  assert.deepEqual(change?.kind === 'update' ? change.differences : change, [
    { path: '/apiVersion', kind: 'different' },
  ]);
});

for (const [manager, expected] of [
  ['argocd-controller', true],
  ['argocd-application-controller', true],
  ['kubectl-client-side-apply', true],
  ['before-first-apply', true],
  ['kubectl-edit', false],
  ['kube-controller-manager', false],
] as const)
  test(`DIFF-01 a field that Git no longer says ${expected ? 'goes' : 'stays'} where ${manager} holds it`, () => {
    const text = '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: "1", b: "2"}}';
    const live = applied(text, text);
    const managedFields = [
      { manager: 'argocd-controller', operation: 'Update', fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } },
      { manager, operation: 'Update', fieldsV1: { 'f:data': { 'f:b': {} } } },
    ];
    const { differences } = compareObject(
      object('{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: "1"}}'),
      { ...live, metadata: { ...live.metadata, managedFields } },
      settings,
    );
    assert.deepEqual(
      differences.map(({ path }) => path),
      expected ? ['/data/b'] : [],
    );
  });
