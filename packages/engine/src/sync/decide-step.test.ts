import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyText, type KubeObject, type ResourceResult } from '@tiphys/api';
import type { LiveObjects } from '../diff/change.ts';
import { initialProgress } from './carry-out.ts';
import { decideStep, stoppedResults } from './decide-step.ts';
import { taskId } from './plan-sync.ts';
import { resultOf, withResults } from './task-result.ts';
import type { SyncObservation, SyncPlan, SyncProgress, SyncStep, SyncTask } from './types.ts';
import { hook, label, liveOf, make, planOf, seenOf, wave } from './plans.suite.ts';

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
