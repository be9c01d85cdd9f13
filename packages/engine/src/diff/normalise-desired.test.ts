import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupKind, KubeObject } from '@tiphys/api';
import type { ApiResource, Discovery } from '@tiphys/kube';
import { type DesiredTarget, normaliseDesired } from './normalise-desired.ts';

const resource = (group: string, kind: string, namespaced: boolean): ApiResource => ({
  group,
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  namespaced,
  verbs: [],
  shortNames: [],
  categories: [],
  subresources: [],
  preferred: true,
});
const resources = [resource('', 'ConfigMap', true), resource('', 'Namespace', false)];
const byGroupKind = ({ group, kind }: GroupKind): ApiResource | undefined =>
  resources.find((one) => one.group === group && one.kind === kind);
const discovery: Discovery = { resources, find: byGroupKind, byGroupKind, byName: () => undefined, failedGroups: [] };

const target: DesiredTarget = {
  discovery,
  destinationNamespace: 'shop',
  application: 'app',
  tracking: { method: 'annotation', instanceLabelKey: 'app.kubernetes.io/instance', installationId: '' },
};

const object = (apiVersion: string, kind: string, namespace?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', ...(namespace !== undefined && { namespace }) },
});
const definition = (scope: string): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: { group: 'example.com', scope, names: { kind: 'Widget' } },
});

const cases: readonly (readonly [string, readonly KubeObject[], string | undefined])[] = [
  ['a namespaced object without a namespace', [object('v1', 'ConfigMap')], 'shop'],
  ['a namespaced object with one', [object('v1', 'ConfigMap', 'other')], 'other'],
  ['a cluster-scoped object', [object('v1', 'Namespace')], undefined],
  ['a cluster-scoped object that names one', [object('v1', 'Namespace', 'other')], undefined],
  ['a kind that the cluster lacks', [object('example.com/v1', 'Widget')], 'shop'],
  [
    'a cluster-scoped kind whose definition comes along',
    [object('example.com/v1', 'Widget', 'a'), definition('Cluster')],
    undefined,
  ],
  [
    'a namespaced kind whose definition comes along',
    [object('example.com/v1', 'Widget'), definition('Namespaced')],
    'shop',
  ],
];
for (const [name, objects, expected] of cases)
  test(`REPO-22 ${name}`, () =>
    assert.equal(normaliseDesired(objects, target).objects[0]?.metadata.namespace, expected));

test('REPO-22 an object for which nobody names a namespace is an error', () => {
  const { errors } = normaliseDesired([object('v1', 'ConfigMap')], { ...target, destinationNamespace: '' });
  assert.match(errors[0]?.message ?? '', /ConfigMap x: neither the manifest nor spec.destination.namespace/);
});

test('DIFF-03 every desired object carries the mark of its application, definitions excepted', () => {
  const { objects } = normaliseDesired([object('v1', 'ConfigMap'), definition('Cluster')], target);
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.annotations?.['argocd.argoproj.io/tracking-id']),
    ['app:/ConfigMap:shop/x', undefined],
  );
});
