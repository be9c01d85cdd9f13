import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asObject } from '@tiphys/api';
import type { LiveObjects } from '../diff/change.ts';
import { decideStep } from './decide-step.ts';
import type { SyncTask } from './types.ts';
import { type Annotations, hook, labels, liveOf, make, objects, planOf, seenOf, tracked, wave } from './plans.suite.ts';

test('SYNC-10 within a wave the order is by kind, then by name', () => {
  const kinds = ['Ingress', 'Deployment', 'Service', 'ConfigMap', 'Secret', 'Role', 'Namespace'];
  const desired = [...kinds.map((kind) => make(kind, 'b')), make('ConfigMap', 'a')];
  assert.deepEqual(labels(planOf(desired)), [
    'Sync 0 Namespace/b',
    'Sync 0 Secret/b',
    'Sync 0 ConfigMap/a',
    'Sync 0 ConfigMap/b',
    'Sync 0 Role/b',
    'Sync 0 Service/b',
    'Sync 0 Deployment/b',
    'Sync 0 Ingress/b',
  ]);
});

test('SYNC-07 SYNC-09 waves order before kinds, negatives first', () => {
  const desired = [
    make('Ingress', 'i', wave(2)),
    make('Deployment', 'd', wave(1)),
    make('ConfigMap', 'c', wave(-1)),
    make('Namespace', 'x', wave(-2)),
    make('Service', 's'),
  ];
  assert.deepEqual(labels(planOf(desired)), [
    'Sync -2 Namespace/x',
    'Sync -1 ConfigMap/c',
    'Sync 0 Service/s',
    'Sync 1 Deployment/d',
    'Sync 2 Ingress/i',
  ]);
});

test('SYNC-07 a bad wave counts as 0 and is warned about', () => {
  const plan = planOf([make('ConfigMap', 'c', wave('soon'))]);
  assert.deepEqual(labels(plan), ['Sync 0 ConfigMap/c']);
  assert.match(plan.warnings[0]?.message ?? '', /ConfigMap n\/c: sync-wave "soon" is no integer/);
});

test('SYNC-10 a namespace and a definition come before what needs them, across waves and phases', () => {
  const desired = objects(`
apiVersion: v1
kind: Namespace
metadata: {name: "n", annotations: {argocd.argoproj.io/sync-wave: "5"}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: j, namespace: "n", annotations: {argocd.argoproj.io/hook: PreSync}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com, annotations: {argocd.argoproj.io/sync-wave: "3"}}
spec: {group: example.com, names: {kind: Widget}, scope: Namespaced}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: "n", annotations: {argocd.argoproj.io/sync-wave: "1"}}
`);
  assert.deepEqual(labels(planOf(desired)), [
    'PreSync 0 Namespace/n',
    'PreSync 0 Job/j',
    'Sync 1 CustomResourceDefinition/widgets.example.com',
    'Sync 1 Widget/w',
  ]);
});

test('SYNC-12 an unknown hook fails the plan and names the known ones', () => {
  const plan = planOf([make('Job', 'j', hook('Presync'))]);
  assert.match(plan.errors[0]?.message ?? '', /Job n\/j: "Presync" is no hook; use PreSync, Sync, PostSync/);
  const { step } = decideStep(plan, seenOf(plan));
  assert.equal(step.kind === 'finish' && step.phase, 'Failed');
});

test('SYNC-17 Skip is never applied', () =>
  assert.deepEqual(labels(planOf([make('ConfigMap', 'c', hook('Skip'))])), []));

const helmHooks: readonly (readonly [Annotations, readonly string[]])[] = [
  [{ 'helm.sh/hook': 'pre-install', 'helm.sh/hook-weight': '-2' }, ['PreSync -2 Job/j']],
  [{ 'helm.sh/hook': 'pre-install,pre-upgrade' }, ['PreSync 0 Job/j']],
  [
    { 'helm.sh/hook': 'post-upgrade', 'argocd.argoproj.io/sync-wave': '4', 'helm.sh/hook-weight': '9' },
    ['PostSync 4 Job/j'],
  ],
  [{ 'helm.sh/hook': 'test' }, []],
  [{ 'helm.sh/hook': 'pre-delete' }, []],
  [{ 'helm.sh/hook': 'crd-install' }, ['Sync 0 Job/j']],
  [{ 'helm.sh/hook': 'post-install', 'argocd.argoproj.io/hook': 'PreSync' }, ['PreSync 0 Job/j']],
];
for (const [annotations, expected] of helmHooks)
  test(`SYNC-12 Helm hooks: ${JSON.stringify(annotations)}`, () =>
    assert.deepEqual(labels(planOf([make('Job', 'j', annotations)])), expected));

test('SYNC-12 Helm delete policies are added to our own', () => {
  const annotations = {
    ...hook('PreSync', 'HookFailed'),
    'helm.sh/hook-delete-policy': 'hook-succeeded,before-hook-creation',
  };
  const [task] = planOf([make('Job', 'j', annotations)]).tasks;
  assert.deepEqual(task?.kind === 'hook' && task.deletePolicies, ['HookFailed', 'HookSucceeded', 'BeforeHookCreation']);
});

test('SYNC-12 a generated hook name is the same whenever the operation is taken up', () => {
  const desired = [
    asObject({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { generateName: 'schema-', namespace: 'n', annotations: hook('PreSync') },
    }),
  ];
  const [task] = planOf(desired).tasks;
  assert.ok(task);
  assert.equal(task.key.name, 'schema-0123456-presync-1767225600');
  const trackingId = task.kind === 'hook' && task.object.metadata.annotations?.['argocd.argoproj.io/tracking-id'];
  assert.equal(trackingId, 'shop:batch/Job:n/schema-0123456-presync-1767225600');
});

test('SYNC-43 a selective sync runs the chosen objects and no hook', () => {
  const desired = [make('Job', 'j', hook('PreSync')), make('Deployment', 'a'), make('Deployment', 'b')];
  const resources = [{ group: 'apps', kind: 'Deployment', name: 'b' }];
  assert.deepEqual(labels(planOf(desired, { request: { resources } })), ['Sync 0 Deployment/b']);
});

test('SYNC-33 ApplyOutOfSyncOnly leaves out what is equal; hooks still run', () => {
  const desired = [make('ConfigMap', 'a'), make('ConfigMap', 'b'), make('Job', 'j', hook('PreSync'))];
  const live = liveOf([make('ConfigMap', 'a')]);
  assert.deepEqual(labels(planOf(desired, { live, request: { syncOptions: ['ApplyOutOfSyncOnly=true'] } })), [
    'PreSync 0 Job/j',
    'Sync 0 ConfigMap/b',
  ]);
});

test('SYNC-38 an unknown option is warned about with the nearest name', () => {
  const plan = planOf([make('ConfigMap', 'a', { 'argocd.argoproj.io/sync-options': 'Prnue=false' })], {
    request: { syncOptions: ['CreateNameSpace=true'] },
  });
  assert.match(plan.warnings[0]?.message ?? '', /CreateNameSpace=true.*did you mean.*CreateNamespace/);
  assert.match(plan.warnings[1]?.message ?? '', /ConfigMap n\/a: .*Prnue=false/);
  assert.equal(plan.namespace, undefined);
});

test('SYNC-32 CreateNamespace, unless a manifest in Git does it', () => {
  const options = { request: { syncOptions: ['CreateNamespace=true'] } };
  assert.equal(planOf([make('ConfigMap', 'a')], options).namespace?.name, 'n');
  assert.equal(planOf([make('Namespace', 'n')], options).namespace, undefined);
});

const optionOf = (annotations: Annotations, syncOptions: string[]): SyncTask['options'] | undefined =>
  planOf([make('ConfigMap', 'a', annotations)], { request: { syncOptions } }).tasks[0]?.options;

test('SYNC-34 the annotation of a resource wins over the option of its application', () => {
  const annotation = (value: string): Annotations => ({ 'argocd.argoproj.io/sync-options': value });
  assert.equal(optionOf({}, ['ServerSideApply=true'])?.apply, 'server-side');
  assert.equal(optionOf(annotation('ServerSideApply=false'), ['ServerSideApply=true'])?.apply, 'client-side');
  assert.equal(optionOf(annotation('Replace=true'), ['ServerSideApply=true'])?.apply, 'replace');
  assert.equal(optionOf(annotation('Force=true, Validate=false'), [])?.force, true);
  assert.equal(optionOf(annotation('Force=true, Validate=false'), [])?.validate, false);
  assert.equal(optionOf({}, ['ClientSideApplyMigration=false'])?.migrateFrom, undefined);
});

test('DIFF-08 SYNC-37 ignored fields keep their live value when asked', () => {
  const desired = [
    tracked({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'n' },
      spec: { replicas: 1, paused: true },
    }),
  ];
  const live = liveOf([
    tracked({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'n' },
      spec: { replicas: 7 },
    }),
  ]);
  const ignore = [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }];
  const applied = (syncOptions: string[]): unknown => {
    const [task] = planOf(desired, { live, request: { ignore, syncOptions } }).tasks;
    return task?.kind === 'apply' ? task.object['spec'] : undefined;
  };
  assert.deepEqual(applied([]), { replicas: 1, paused: true });
  assert.deepEqual(applied(['RespectIgnoreDifferences=true']), { replicas: 7, paused: true });
});

test('SYNC-26 SYNC-27 an extra object is skipped or pruned', () => {
  const live = liveOf([make('ConfigMap', 'old')]);
  const action = (prune: boolean, annotations: Annotations = {}): string | undefined => {
    const [task] = planOf([], { live: liveOf([make('ConfigMap', 'old', annotations)]), request: { prune } }).tasks;
    return task?.kind === 'prune' ? task.action : undefined;
  };
  assert.equal(action(false), 'skip-not-requested');
  assert.equal(action(true), 'delete');
  assert.equal(action(true, { 'argocd.argoproj.io/sync-options': 'Prune=false' }), 'skip-never');
  assert.equal(action(true, { 'helm.sh/resource-policy': 'keep' }), 'skip-never');
  assert.equal(action(true, { 'argocd.argoproj.io/sync-options': 'Prune=confirm' }), 'confirm');
  const approved = planOf([], {
    live: liveOf([make('ConfigMap', 'old', { 'argocd.argoproj.io/sync-options': 'Prune=confirm' })]),
    request: { prune: true, deletionApproved: '2026-01-01T00:00:05Z' },
  });
  assert.equal(approved.pruneCount, 1);
  assert.equal(planOf([], { live, request: { prune: true } }).pruneCount, 1);
});

test('SYNC-27 prunes run in the mirrored order of waves', () => {
  const live = liveOf([
    make('ConfigMap', 'first', wave(-1)),
    make('ConfigMap', 'middle'),
    make('ConfigMap', 'last', wave(3)),
  ]);
  assert.deepEqual(labels(planOf([], { live, request: { prune: true } })), [
    'Sync -1 prune ConfigMap/last',
    'Sync 0 prune ConfigMap/middle',
    'Sync 3 prune ConfigMap/first',
  ]);
});

test('SYNC-35 PruneLast comes after every wave, as an option and as an annotation', () => {
  const desired = [make('ConfigMap', 'a', wave(4))];
  const old = (annotations: Annotations = {}): LiveObjects => liveOf([make('ConfigMap', 'old', annotations)]);
  const expected = ['Sync 4 ConfigMap/a', 'Sync 5 prune ConfigMap/old'];
  assert.deepEqual(
    labels(planOf(desired, { live: old(), request: { prune: true, syncOptions: ['PruneLast=true'] } })),
    expected,
  );
  assert.deepEqual(
    labels(
      planOf(desired, { live: old({ 'argocd.argoproj.io/sync-options': 'PruneLast=true' }), request: { prune: true } }),
    ),
    expected,
  );
});

test('SYNC-31 the propagation policy', () => {
  assert.equal(planOf([]).propagation, 'Foreground');
  assert.equal(
    planOf([], { request: { syncOptions: ['PrunePropagationPolicy=background'] } }).propagation,
    'Background',
  );
});

test('SYNC-20 a hook that needs what only the Sync phase creates is told', () => {
  const desired = objects(`
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: "n", annotations: {argocd.argoproj.io/hook: PreSync}}
spec: {template: {spec: {containers: [{name: m, envFrom: [{secretRef: {name: db}}]}]}}}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: "n"}
`);
  assert.match(planOf(desired).warnings[0]?.message ?? '', /batch\/Job n\/migrate needs Secret n\/db/);
});
