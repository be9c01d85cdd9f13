import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asObject, type KubeObject, parseYaml, stringifyJson } from '@tiphys/api';
import { compareObject } from './compare-object.ts';
import { defaultCompareOptions } from './normalise.ts';

const object = (yaml: string): KubeObject => asObject(parseYaml(yaml));

type Case = readonly [
  name: string,
  desired: string,
  live: string,
  expected: readonly string[],
  /** What we wrote before: by client-side apply its text, by server-side apply the field sets. */
  before?: { applied: string } | { fields: string },
];

function withHistory(live: KubeObject, before: Case[4]): KubeObject {
  if (before === undefined) return live;
  const { metadata } = live;
  if ('fields' in before) {
    const fieldsV1 = parseYaml(before.fields) as Record<string, never>;
    return {
      ...live,
      metadata: { ...metadata, managedFields: [{ manager: 'argocd-controller', operation: 'Apply', fieldsV1 }] },
    };
  }
  const text = stringifyJson(parseYaml(before.applied));
  const annotations = { ...metadata.annotations, 'kubectl.kubernetes.io/last-applied-configuration': text };
  return { ...live, metadata: { ...metadata, annotations } };
}

function table(id: string, cases: readonly Case[]): void {
  for (const [name, desired, live, expected, before] of cases)
    test(`${id} ${name}`, () => {
      const settings = { options: defaultCompareOptions, ignore: [] };
      const { differences } = compareObject(object(desired), withHistory(object(live), before), settings);
      assert.deepEqual(
        differences.map(({ kind, path }) => `${kind} ${path}`),
        expected,
      );
    });
}

const service = (spec: string): string => `{apiVersion: v1, kind: Service, metadata: {name: s}, spec: ${spec}}`;
const secret = (rest: string): string => `{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: YQ==}${rest}}`;
const liveService = `{clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], type: ClusterIP, sessionAffinity: None, ports: [{port: 80, protocol: TCP, targetPort: 80}]}`;
const pod = (spec: string): string =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {template: {spec: ${spec}}}}`;

// What is said empty or zero is filled in by the server as if it had not been said.
table('DIFF-14', [
  ['an empty clusterIP is allocated', service('{clusterIP: "", ports: [{port: 80}]}'), service(liveService), []],
  [
    'no clusterIP is a decision',
    service('{clusterIP: ""}'),
    service('{clusterIP: None}'),
    ['different /spec/clusterIP'],
  ],
  [
    'empty type, affinity, protocol and target port',
    service('{type: "", sessionAffinity: "", ports: [{port: 80, protocol: "", targetPort: 0}]}'),
    service(liveService),
    [],
  ],
  [
    'an empty type where another was set by hand',
    service('{type: ""}'),
    service('{type: NodePort}'),
    ['different /spec/type'],
  ],
  ['the type of a Secret, empty', secret(', type: ""'), secret(', type: Opaque'), []],
  [
    'the type of a Secret, null and once said so',
    secret(', type: null'),
    secret(', type: Opaque'),
    [],
    { applied: secret(', type: null') },
  ],
  [
    'a probe of zeros',
    pod('{containers: [{name: a, image: "b:1", livenessProbe: {periodSeconds: 0, failureThreshold: 0}}]}'),
    pod('{containers: [{name: a, image: "b:1", livenessProbe: {periodSeconds: 10, failureThreshold: 3}}]}'),
    [],
  ],
  [
    'a pull policy that the image implies',
    pod('{containers: [{name: a, image: "b:1", imagePullPolicy: ""}, {name: c, image: d, imagePullPolicy: ""}]}'),
    pod(
      '{containers: [{name: a, image: "b:1", imagePullPolicy: IfNotPresent}, {name: c, image: d, imagePullPolicy: Always}]}',
    ),
    [],
  ],
  [
    'a pull policy that the image does not imply',
    pod('{containers: [{name: a, image: "b:1", imagePullPolicy: ""}]}'),
    pod('{containers: [{name: a, image: "b:1", imagePullPolicy: Always}]}'),
    ['different /spec/template/spec/containers/0/imagePullPolicy'],
  ],
  [
    'zero replicas are said, not left to the server',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 0}}',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 1}}',
    ['different /spec/replicas'],
  ],
  [
    'a false by which something was switched on by hand',
    pod('{hostNetwork: false}'),
    pod('{hostNetwork: true}'),
    ['different /spec/template/spec/hostNetwork'],
  ],
  [
    'kind and apiVersion of a claim template are those of the server',
    '{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {volumeClaimTemplates: [{kind: "", metadata: {name: d}, spec: {accessModes: [ReadWriteOnce]}}]}}',
    '{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {volumeClaimTemplates: [{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], volumeMode: Filesystem}, status: {phase: Pending}}]}}',
    [],
  ],
]);

const webhooks = (rule: string): string =>
  `{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: m}, webhooks: [{name: a.b.c, rules: [${rule}]}]}`;
const webhookFields = '{"f:webhooks": {"k:{\\"name\\":\\"a.b.c\\"}": {".": {}, "f:name": {}, "f:rules": {}}}}';
const policy = (from: string): string =>
  `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, ingress: [{from: [${from}]}]}}`;
const role = (rule: string): string =>
  `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: [${rule}]}`;
const limits = (item: string): string =>
  `{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [${item}]}}`;

// Lists that are replaced whole are ours whole: of what desired does not name only defaults may stay.
table('DIFF-01', [
  [
    'a default within a list that server-side apply holds whole',
    webhooks('{operations: [CREATE]}'),
    webhooks('{operations: [CREATE], scope: "*"}'),
    [],
    { fields: webhookFields },
  ],
  [
    'what Git once said within such a list',
    webhooks('{operations: [CREATE]}'),
    webhooks('{operations: [CREATE], scope: Namespaced}'),
    ['unwanted /webhooks/0/rules/0/scope'],
    { fields: webhookFields },
  ],
  [
    'an empty selector that Git no longer says opens more than silence',
    policy('{podSelector: {}}'),
    policy('{podSelector: {}, namespaceSelector: {}}'),
    ['unwanted /spec/ingress/0/from/0/namespaceSelector'],
    { fields: '{"f:spec": {"f:ingress": {}}}' },
  ],
  [
    'a field that somebody else wrote into an element',
    role('{apiGroups: [""], resources: [pods], verbs: [get]}'),
    role('{apiGroups: [""], resources: [pods], verbs: [get], resourceNames: [one]}'),
    ['unwanted /rules/0/resourceNames'],
  ],
  [
    'requests that follow from the defaults of a limit',
    limits('{type: Container, default: {cpu: 1}, defaultRequest: {memory: 1Gi}}'),
    limits('{type: Container, default: {cpu: "1"}, defaultRequest: {memory: 1Gi, cpu: "1"}}'),
    [],
    { fields: '{"f:spec": {"f:limits": {}}}' },
  ],
  [
    'a null that server-side apply makes ours, where the server writes its default',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: null, strategy: null}}',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 1, strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}}}',
    [],
    { fields: '{"f:spec": {"f:replicas": {}, "f:strategy": {}}}' },
  ],
  [
    'a null where the value that we set is still there',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: null}}',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 3}}',
    ['unwanted /spec/replicas'],
    { fields: '{"f:spec": {"f:replicas": {}}}' },
  ],
]);

const set = (strategy: string): string =>
  `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {updateStrategy: ${strategy}}}`;
const account = pod('{serviceAccountName: a, containers: []}');
const liveAccount = pod('{serviceAccountName: a, serviceAccount: a}');

table('DIFF-01', [
  [
    'the other branch of a union that the server refuses to keep',
    set('{type: OnDelete}'),
    set('{type: RollingUpdate, rollingUpdate: {partition: 0}}'),
    ['different /spec/updateStrategy/type', 'unwanted /spec/updateStrategy/rollingUpdate'],
  ],
  [
    'a change within one branch of a union',
    set('{rollingUpdate: {partition: 2}}'),
    set('{type: RollingUpdate, rollingUpdate: {partition: 0}}'),
    ['different /spec/updateStrategy/rollingUpdate/partition'],
  ],
  [
    'a service account that Git no longer names goes under both its names',
    pod('{containers: []}'),
    liveAccount,
    ['unwanted /spec/template/spec/serviceAccountName', 'unwanted /spec/template/spec/serviceAccount'],
    { applied: account },
  ],
  ['a service account by its old name', pod('{serviceAccount: a}'), liveAccount, []],
  [
    'another service account by its old name',
    pod('{serviceAccount: b}'),
    liveAccount,
    ['different /spec/template/spec/serviceAccountName', 'different /spec/template/spec/serviceAccount'],
  ],
  [
    'a null within JSON of any form that the server keeps',
    '{apiVersion: example.com/v1, kind: W, metadata: {name: w}, spec: {a: null, b: [null]}}',
    '{apiVersion: example.com/v1, kind: W, metadata: {name: w}, spec: {a: null, b: [null]}}',
    [],
  ],
]);
