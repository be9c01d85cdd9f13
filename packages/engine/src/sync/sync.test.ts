import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asObject,
  keyOf,
  keyText,
  type KubeObject,
  parseYamlDocuments,
  type ResourceResult,
  type TrackingSettings,
  withTracking,
} from '@tiphys/api';
import type { LiveObjects } from '../diff/change.ts';
import { diff } from '../diff/diff.ts';
import { defaultCompareOptions } from '../diff/normalise.ts';
import { assess } from '../health/built-in.ts';
import { initialProgress } from './carry-out.ts';
import { decideStep, stoppedResults } from './decide-step.ts';
import { planSync, taskId } from './plan-sync.ts';
import { resultOf, withResults } from './task-result.ts';
import type { SyncObservation, SyncPlan, SyncProgress, SyncRequest, SyncStep, SyncTask } from './types.ts';

const tracking: TrackingSettings = {
  method: 'annotation',
  instanceLabelKey: 'app.kubernetes.io/instance',
  installationId: '',
};
const startedAt = '2026-01-01T00:00:00Z';
const request: SyncRequest = {
  application: 'shop',
  tracking,
  destinationNamespace: 'n',
  syncOptions: [],
  prune: false,
  dryRun: false,
  force: false,
  strategy: 'hook',
  resources: [],
  revision: '0123456789abcdef',
  startedAt,
  retryCount: 0,
  ignore: [],
};

const tracked = (object: KubeObject): KubeObject => withTracking(object, 'shop', tracking);
const objects = (yaml: string): KubeObject[] => parseYamlDocuments(yaml).map((one) => tracked(asObject(one)));
const liveOf = (list: readonly KubeObject[]): Map<string, KubeObject> =>
  new Map(list.map((one) => [keyText(keyOf(one)), one]));

function planOf(
  desired: readonly KubeObject[],
  more: { request?: Partial<SyncRequest>; live?: LiveObjects } = {},
): SyncPlan {
  const live = more.live ?? new Map();
  const changes = diff(desired, live, { application: 'shop', tracking, options: defaultCompareOptions, ignore: [] });
  return planSync({ desired, changes, live }, { ...request, ...more.request });
}

const label = (task: SyncTask): string =>
  `${task.phase} ${task.wave} ${task.kind === 'prune' ? 'prune ' : ''}${task.key.kind}/${task.key.name}`;
const labels = (plan: SyncPlan): string[] => plan.tasks.map(label);

type Annotations = Readonly<Record<string, string>>;
const wave = (n: number | string): Annotations => ({ 'argocd.argoproj.io/sync-wave': String(n) });
const hook = (types: string, policy?: string): Annotations => ({
  'argocd.argoproj.io/hook': types,
  ...(policy !== undefined && { 'argocd.argoproj.io/hook-delete-policy': policy }),
});
const make = (kind: string, name: string, annotations: Annotations = {}): KubeObject => {
  const apiVersion =
    {
      Job: 'batch/v1',
      Deployment: 'apps/v1',
      ReplicaSet: 'apps/v1',
      Ingress: 'networking.k8s.io/v1',
      Role: 'rbac.authorization.k8s.io/v1',
    }[kind] ?? 'v1';
  return tracked({
    apiVersion,
    kind,
    metadata: { name, ...(kind !== 'Namespace' && { namespace: 'n' }), annotations },
  });
};

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

// --- the state machine, run against a cluster that is a map ---

const seenOf = (plan: SyncPlan, more: Partial<SyncObservation> = {}): SyncObservation => ({
  results: [],
  live: new Map(),
  health: (live) => assess(live),
  progress: { ...initialProgress, namespaceReady: true, preflight: 'passed' },
  stop: undefined,
  waveDelayMs: 0,
  now: new Date('2026-01-01T00:01:00Z'),
  ...more,
});

/** An operation against a map of live objects. `settle` plays the cluster's controllers: it says what becomes of an object. */
class Driver {
  readonly log: string[] = [];
  readonly live: Map<string, KubeObject>;
  results: readonly ResourceResult[] = [];
  progress: SyncProgress = { ...initialProgress, namespaceReady: true, preflight: 'passed' };
  stop: SyncObservation['stop'];
  readonly plan: SyncPlan;
  readonly settle: (object: KubeObject) => KubeObject;

  constructor(plan: SyncPlan, options: { settle?: (object: KubeObject) => KubeObject; live?: LiveObjects } = {}) {
    this.plan = plan;
    this.settle = options.settle ?? succeed;
    this.live = new Map(options.live ?? []);
  }

  decide(more: Partial<SyncObservation> = {}): SyncStep {
    const { results, live, progress, stop } = this;
    const decision = decideStep(this.plan, seenOf(this.plan, { results, live, progress, stop, ...more }));
    this.results = decision.results;
    return decision.step;
  }

  take(step: SyncStep): void {
    switch (step.kind) {
      case 'run':
        for (const task of [...step.prunes, ...step.groups.flat()]) this.write(task);
        break;
      case 'delete-old-hooks':
        for (const { key } of step.hooks) this.live.delete(keyText(key));
        this.log.push(`delete old ${step.hooks.map(({ key }) => key.name).join()}`);
        break;
      case 'clean-hooks':
        for (const { key } of step.remove) this.live.delete(keyText(key));
        if (this.stop !== undefined) this.results = withResults(this.results, stoppedResults(step.remove));
        this.log.push(`clean ${step.remove.map(({ key }) => key.name).join()}`);
        this.progress = { ...this.progress, cleaned: [...this.progress.cleaned, ...step.release.map(taskId)] };
        break;
      default:
        this.log.push(step.kind);
    }
  }

  private write(task: SyncTask): void {
    this.log.push(label(task));
    if (task.kind === 'prune') {
      const status = task.action === 'delete' ? 'Pruned' : 'PruneSkipped';
      if (task.action === 'delete') this.live.delete(keyText(task.key));
      this.results = withResults(this.results, [resultOf(task, { status, phase: 'Succeeded', message: '' })]);
      return;
    }
    this.live.set(keyText(task.key), this.settle(task.object));
    this.results = withResults(this.results, [resultOf(task, { status: 'Synced', phase: 'Running', message: '' })]);
  }

  /** Until it waits or ends; the last line of the log says how. */
  run(limit = 50): string[] {
    for (let i = 0; i < limit; i += 1) {
      const step = this.decide();
      if (step.kind === 'wait' || step.kind === 'finish') {
        this.log.push(step.kind === 'wait' ? step.message : `${step.phase}: ${step.message}`);
        return this.log;
      }
      this.take(step);
    }
    throw new Error(`still running: ${this.log.join('; ')}`);
  }
}

const withStatus = (object: KubeObject, status: object): KubeObject => ({ ...object, status });
const jobStatus = (type: string): object => ({ conditions: [{ type, status: 'True', message: `job ${type}` }] });
const available = { updatedReplicas: 1, replicas: 1, availableReplicas: 1, observedGeneration: 1 };

function succeed(object: KubeObject): KubeObject {
  if (object.kind === 'Job') return withStatus(object, jobStatus('Complete'));
  return object.kind === 'Deployment' ? withStatus(object, available) : object;
}
const settleNamed =
  (names: Readonly<Record<string, object>>) =>
  (object: KubeObject): KubeObject => {
    const status = names[object.metadata.name ?? ''];
    return status === undefined ? succeed(object) : withStatus(object, status);
  };

test('SYNC-05 the complete lifecycle runs in order', () => {
  const desired = [
    make('Job', 'after', hook('PostSync')),
    make('Deployment', 'web'),
    make('Job', 'second', hook('PreSync')),
    make('Job', 'first', { ...hook('PreSync'), ...wave(-1) }),
  ];
  assert.deepEqual(new Driver(planOf(desired)).run(), [
    'PreSync -1 Job/first',
    'PreSync 0 Job/second',
    'Sync 0 Deployment/web',
    'PostSync 0 Job/after',
    'clean ',
    'Succeeded: successfully synced (all tasks run)',
  ]);
});

test('SYNC-02 a failed PreSync hook ends the operation before any Sync resource', () => {
  const driver = new Driver(planOf([make('Job', 'migrate', hook('PreSync')), make('Deployment', 'web')]), {
    settle: settleNamed({ migrate: jobStatus('Failed') }),
  });
  const log = driver.run();
  assert.equal(log[0], 'PreSync 0 Job/migrate');
  assert.match(log.at(-1) ?? '', /^Failed: .*hook batch\/Job n\/migrate: job Failed/);
  assert.ok(!log.some((line) => line.includes('Deployment')));
});

test('SYNC-03 PostSync waits for the health of the Sync phase', () => {
  const log = new Driver(planOf([make('Deployment', 'web'), make('Job', 'smoke', hook('PostSync'))]), {
    settle: settleNamed({ web: {} }),
  }).run();
  assert.deepEqual(log, ['Sync 0 Deployment/web', 'waiting for healthy state of apps/Deployment n/web']);
});

test('SYNC-04 SYNC-16 SyncFail runs after a failure, not on success; its own failure changes the message only', () => {
  const desired = [
    make('Deployment', 'web'),
    make('Job', 'smoke', hook('PostSync')),
    make('Job', 'notify', hook('SyncFail')),
  ];
  const good = new Driver(planOf(desired)).run();
  assert.ok(!good.some((line) => line.includes('notify')));
  const bad = new Driver(planOf(desired), { settle: settleNamed({ smoke: jobStatus('Failed') }) }).run();
  assert.deepEqual(bad.slice(0, 3), ['Sync 0 Deployment/web', 'PostSync 0 Job/smoke', 'SyncFail 0 Job/notify']);
  assert.match(
    bad.at(-1) ?? '',
    /^Failed: one or more synchronization tasks completed unsuccessfully, reason: .*smoke: job Failed$/,
  );
  const worse = new Driver(planOf(desired), {
    settle: settleNamed({ smoke: jobStatus('Failed'), notify: jobStatus('Failed') }),
  }).run();
  assert.match(worse.at(-1) ?? '', /^Failed: .*smoke: job Failed; SyncFail hook batch\/Job n\/notify failed too$/);
});

test('SYNC-08 the next wave waits for health, and the message names what it waits for', () => {
  const desired = [make('Deployment', 'a'), make('Deployment', 'b'), make('ConfigMap', 'c', wave(1))];
  const driver = new Driver(planOf(desired), { settle: settleNamed({ a: {}, b: {} }) });
  assert.equal(driver.run().at(-1), 'waiting for healthy state of apps/Deployment n/a and 1 more resource');
  for (const name of ['a', 'b'])
    driver.live.set(`apps/Deployment/n/${name}`, withStatus(make('Deployment', name), available));
  assert.equal(driver.run().at(-1), 'Succeeded: successfully synced (all tasks run)');
});

test('SYNC-08 a degraded resource fails its wave', () => {
  const deadline = {
    observedGeneration: 1,
    conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too slow' }],
  };
  const log = new Driver(planOf([make('Deployment', 'a'), make('ConfigMap', 'c', wave(1))]), {
    settle: settleNamed({ a: deadline }),
  }).run();
  assert.match(log.at(-1) ?? '', /^Failed: .*apps\/Deployment n\/a: too slow/);
});

test('SYNC-08 the last wave without hooks is not awaited', () => {
  const one = new Driver(planOf([make('Deployment', 'a')]), { settle: settleNamed({ a: {} }) }).run();
  assert.equal(one.at(-1), 'Succeeded: successfully synced (all tasks run)');
  const two = new Driver(planOf([make('ConfigMap', 'c'), make('Deployment', 'a', wave(1))]), {
    settle: settleNamed({ a: {} }),
  }).run();
  assert.equal(two.at(-1), 'Succeeded: successfully synced (all tasks run)');
});

test('SYNC-11 a pause between waves that wrote something', () => {
  const driver = new Driver(planOf([make('ConfigMap', 'a'), make('ConfigMap', 'b', wave(1))]));
  driver.take(driver.decide());
  driver.progress = { ...driver.progress, lastWriteAt: new Date('2026-01-01T00:01:00Z') };
  const early = driver.decide({ waveDelayMs: 2000, now: new Date('2026-01-01T00:01:01Z') });
  assert.equal(early.kind === 'wait' && early.until?.toISOString(), '2026-01-01T00:01:02.000Z');
  assert.equal(driver.decide({ waveDelayMs: 2000, now: new Date('2026-01-01T00:01:02Z') }).kind, 'run');
});

test('SYNC-14 a Sync hook runs with the ordinary resources and is awaited', () => {
  const log = new Driver(planOf([make('ConfigMap', 'c'), make('Job', 'j', hook('Sync'))]), {
    settle: settleNamed({ j: {} }),
  }).run();
  assert.deepEqual(log, ['Sync 0 ConfigMap/c', 'Sync 0 Job/j', 'waiting for completion of hook batch/Job n/j']);
});

test('SYNC-21 the hook of an earlier run is deleted before the new one', () => {
  const old = withStatus(
    make('Job', 'j', { ...hook('PreSync'), 'tiphys.io/operation': 'earlier/0' }),
    jobStatus('Complete'),
  );
  const desired = [make('Job', 'j', hook('PreSync')), make('ConfigMap', 'c')];
  const live = liveOf([old]);
  const log = new Driver(planOf(desired, { live }), { live }).run();
  assert.deepEqual(log, [
    'delete old j',
    'PreSync 0 Job/j',
    'Sync 0 ConfigMap/c',
    'clean ',
    'Succeeded: successfully synced (all tasks run)',
  ]);
});

const policies: readonly (readonly [string, string, boolean, boolean])[] = [
  ['SYNC-22', 'HookSucceeded', true, false],
  ['SYNC-23', 'HookFailed', false, true],
  ['SYNC-21', 'BeforeHookCreation', false, false],
  ['SYNC-24', 'HookSucceeded,BeforeHookCreation', true, false],
];
for (const [id, policy, afterSuccess, afterFailure] of policies)
  for (const [type, deleted] of [
    ['Complete', afterSuccess],
    ['Failed', afterFailure],
  ] as const)
    test(`${id} ${policy}: a hook that is ${type} is ${deleted ? 'deleted' : 'kept'}`, () => {
      const driver = new Driver(planOf([make('Job', 'j', hook('PreSync', policy))]), {
        settle: settleNamed({ j: jobStatus(type) }),
      });
      driver.run();
      assert.equal(driver.live.has('batch/Job/n/j'), !deleted);
    });

test('REC-16 a restart finds a hook of this operation and does not run it again', () => {
  const plan = planOf([make('Job', 'j', hook('PreSync')), make('ConfigMap', 'c')]);
  const first = new Driver(plan, { settle: settleNamed({ j: {} }) });
  first.take(first.decide());
  // The process dies: the result of the hook was never stored.
  const second = new Driver(plan, { live: first.live });
  second.progress = initialProgress;
  assert.deepEqual(second.run(), ['waiting for completion of hook batch/Job n/j']);
  assert.equal(second.results[0]?.hookPhase, 'Running');
});

test('REC-16 a retry runs its hooks anew', () => {
  const desired = [make('Job', 'j', hook('PreSync')), make('ConfigMap', 'c')];
  const first = new Driver(planOf(desired), { settle: settleNamed({ j: jobStatus('Failed') }) });
  first.run();
  const again = new Driver(planOf(desired, { request: { retryCount: 1 } }), { live: first.live });
  assert.deepEqual(again.run().slice(0, 2), ['delete old j', 'PreSync 0 Job/j']);
});

test('SYNC-06 terminate deletes running hooks and ends as Failed', () => {
  const driver = new Driver(planOf([make('Job', 'j', hook('PreSync')), make('ConfigMap', 'c')]), {
    settle: settleNamed({ j: {} }),
  });
  driver.run();
  driver.stop = 'terminated';
  assert.deepEqual(driver.run().slice(-2), ['clean j', 'Failed: Operation terminated']);
  assert.equal(driver.live.size, 0);
});

test('SYNC-45 everything is tried before anything is applied; a single task is its own trial', () => {
  const plan = planOf([make('ConfigMap', 'a'), make('ConfigMap', 'b')]);
  const { step } = decideStep(plan, seenOf(plan, { progress: initialProgress }));
  assert.equal(step.kind === 'preflight' && step.tasks.length, 2);
  const single = planOf([make('ConfigMap', 'a')]);
  assert.equal(decideStep(single, seenOf(single, { progress: initialProgress })).step.kind, 'run');
});

test('SYNC-40 a dry run tries and ends', () => {
  const plan = planOf([make('ConfigMap', 'a')], { request: { dryRun: true } });
  assert.equal(decideStep(plan, seenOf(plan, { progress: initialProgress })).step.kind, 'preflight');
  const { step } = decideStep(plan, seenOf(plan));
  assert.equal(step.kind === 'finish' && step.phase, 'Succeeded');
});

test('SYNC-32 the namespace comes before the preflight', () => {
  const plan = planOf([make('ConfigMap', 'a'), make('ConfigMap', 'b')], {
    request: { syncOptions: ['CreateNamespace=true'] },
  });
  assert.equal(decideStep(plan, seenOf(plan, { progress: initialProgress })).step.kind, 'create-namespace');
});

test('SYNC-26 Prune=confirm holds its wave until it is approved', () => {
  const live = liveOf([make('ConfigMap', 'old', { 'argocd.argoproj.io/sync-options': 'Prune=confirm' })]);
  const log = new Driver(planOf([], { live, request: { prune: true } }), { live }).run();
  assert.deepEqual(log, ['waiting for approval to prune ConfigMap n/old']);
});

test('SYNC-06 a newer revision takes over where only health is waited for: it may never come', () => {
  const driver = new Driver(planOf([make('Deployment', 'a'), make('ConfigMap', 'b', wave(1))]), {
    settle: settleNamed({ a: {} }),
  });
  driver.run();
  assert.equal(driver.decide().kind, 'wait');
  const step = driver.decide({ supersededBy: 'r2' });
  assert.equal(step.kind === 'finish' && step.message, 'superseded by revision r2');
});

test('SYNC-06 a newer revision waits for a running hook', () => {
  const driver = new Driver(planOf([make('Job', 'migrate', hook('PreSync')), make('ConfigMap', 'b')]), {
    settle: settleNamed({ migrate: {} }),
  });
  driver.run();
  assert.equal(driver.decide({ supersededBy: 'r2' }).kind, 'wait');
});

test('SYNC-08 what a watch still shows from before the write does not pass the gate', () => {
  const driver = new Driver(planOf([make('Deployment', 'a'), make('ConfigMap', 'b', wave(1))]), {
    settle: (object) => ({ ...succeed(object), metadata: { ...object.metadata, generation: 1 } }),
  });
  driver.take(driver.decide());
  const written = new Map([['Sync apps/Deployment/n/a', { uid: undefined, generation: 2 }]]);
  driver.progress = { ...driver.progress, written };
  assert.equal(driver.decide().kind, 'wait');
  driver.progress = { ...driver.progress, written: new Map() };
  assert.equal(driver.decide().kind, 'run');
});
