import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from './object.ts';
import { parseTrackingId, trackedBy, type TrackingMethod, type TrackingSettings, withTracking } from './tracking.ts';

const settings = (method: TrackingMethod = 'annotation', installationId = ''): TrackingSettings => ({
  method,
  instanceLabelKey: 'app.kubernetes.io/instance',
  installationId,
});
const object = (type: string, namespace: string, name = 'x'): KubeObject => ({
  apiVersion: type.slice(0, type.lastIndexOf('/')),
  kind: type.slice(type.lastIndexOf('/') + 1),
  metadata: { name, ...(namespace !== '' && { namespace }) },
});
const marked = (of: KubeObject, id: string): KubeObject => ({
  ...of,
  metadata: { ...of.metadata, annotations: { 'argocd.argoproj.io/tracking-id': id } },
});
const owner = { application: 'shop', destinationNamespace: 'target' };

const idCases: readonly (readonly [type: string, namespace: string, id: string])[] = [
  ['v1/ConfigMap', 'n', 'shop:/ConfigMap:n/x'],
  ['apps/v1/Deployment', 'n', 'shop:apps/Deployment:n/x'],
  // As Argo CD writes it, so that what it applied is no difference.
  ['rbac.authorization.k8s.io/v1/ClusterRole', '', 'shop:rbac.authorization.k8s.io/ClusterRole:target/x'],
  ['v1/Namespace', '', 'shop:/Namespace:target/x'],
];
for (const [type, namespace, id] of idCases)
  test(`DIFF-03 the mark of ${type}`, () => {
    const tracked = withTracking(object(type, namespace), owner, settings());
    assert.deepEqual(tracked.metadata.annotations, { 'argocd.argoproj.io/tracking-id': id });
    assert.equal(trackedBy(tracked, settings()), 'shop');
  });

const ownCases: readonly (readonly [name: string, of: KubeObject, id: string, application: string | undefined])[] = [
  ['its own', object('v1/ConfigMap', 'n'), 'shop:/ConfigMap:n/x', 'shop'],
  ['an application of another namespace', object('v1/ConfigMap', 'n'), 'team_shop:/ConfigMap:n/x', 'team_shop'],
  ['another name', object('v1/ConfigMap', 'n'), 'shop:/ConfigMap:n/y', undefined],
  ['another namespace', object('v1/ConfigMap', 'n'), 'shop:/ConfigMap:m/x', undefined],
  ['another kind', object('v1/ConfigMap', 'n'), 'shop:/Secret:n/x', undefined],
  ['another group', object('networking.k8s.io/v1/Ingress', 'n'), 'shop:extensions/Ingress:n/x', undefined],
  ['cluster-scoped, any namespace', object('v1/Namespace', ''), 'shop:/Namespace:target/x', 'shop'],
  ['cluster-scoped, no namespace', object('v1/Namespace', ''), 'shop:/Namespace:/x', 'shop'],
  ['cluster-scoped, another name', object('v1/Namespace', ''), 'shop:/Namespace:target/y', undefined],
  [
    'a name with colons',
    object('rbac.authorization.k8s.io/v1/Role', 'n', 'a:b:c'),
    'shop:rbac.authorization.k8s.io/Role:n/a:b:c',
    'shop',
  ],
  ['no form of a mark', object('v1/ConfigMap', 'n'), 'shop', undefined],
];
for (const [name, of, id, application] of ownCases)
  test(`DIFF-03 a mark of ${name}`, () => assert.equal(trackedBy(marked(of, id), settings()), application));

test('DIFF-03 a mark of another installation is none', () => {
  const theirs = withTracking(object('v1/ConfigMap', 'n'), owner, settings('annotation', 'theirs'));
  assert.equal(trackedBy(theirs, settings('annotation', 'ours')), undefined);
  assert.equal(trackedBy(theirs, settings('annotation', 'theirs')), 'shop');
  assert.equal(
    trackedBy(withTracking(object('v1/ConfigMap', 'n'), owner, settings()), settings('annotation', 'ours')),
    undefined,
  );
});

const long = `${'a'.repeat(60)}--.${'b'.repeat(20)}`;
const labelCases: readonly (readonly [TrackingMethod, application: string, label: string | undefined])[] = [
  ['annotation', 'shop', undefined],
  ['label', 'shop', 'shop'],
  ['annotation+label', 'shop', 'shop'],
  // A label ends in a letter or digit, and holds 63 characters.
  ['annotation+label', long, 'a'.repeat(60)],
  ['annotation+label', 'c'.repeat(70), 'c'.repeat(63)],
  ['label', long, long],
];
for (const [method, application, label] of labelCases)
  test(`DIFF-03 ${method} writes the label ${label ?? '(none)'}`, () => {
    const tracked = withTracking(object('v1/ConfigMap', 'n'), application, settings(method));
    assert.equal(tracked.metadata.labels?.['app.kubernetes.io/instance'], label);
    assert.equal(trackedBy(tracked, settings(method)), application);
  });

test('DIFF-03 definitions get no mark', () => {
  const definition = object('apiextensions.k8s.io/v1/CustomResourceDefinition', '');
  for (const method of ['annotation', 'label', 'annotation+label'] as const)
    assert.equal(withTracking(definition, owner, settings(method)), definition);
});

test('a mark is taken apart', () => {
  assert.deepEqual(parseTrackingId('ns_app:apps/Deployment:n/x'), {
    application: 'ns_app',
    key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'x' },
  });
  for (const text of ['', 'a', 'a:b', 'a:b:c', 'a:g/k:n', ':g/k:n/x', 'a:g/k:n/'])
    assert.equal(parseTrackingId(text), undefined);
});
