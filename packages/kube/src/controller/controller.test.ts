import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError, silentLogger } from '@tiphys/api';
import { fakeClock, settle } from '../testing/fake-clock.ts';
import { openQueue } from './queue.ts';
import { runController } from './run-controller.ts';

const setUp = () => {
  const clock = fakeClock();
  return { clock, ports: { log: silentLogger, clock, random: () => 0.5 } };
};

test('a key waits once, and comes again when added while in work', async () => {
  const { ports } = setUp();
  const queue = openQueue({}, ports);
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  assert.equal(await queue.take(), 'a');
  assert.equal(await queue.take(), 'b');
  queue.add('a');
  queue.add('a');
  assert.deepEqual(queue.depth, { ready: 1, delayed: 0, working: 2 });
  let next: string | undefined;
  void queue.take().then((key) => {
    next = key;
  });
  await settle();
  assert.equal(next, undefined, 'a is in work');
  queue.done('a');
  await settle();
  assert.equal(next, 'a');
  queue.close();
  assert.equal(await queue.take(), undefined);
});

test('of several delays the earliest counts, and add goes before all', async () => {
  const { ports, clock } = setUp();
  const queue = openQueue({}, ports);
  const taken: string[] = [];
  void (async () => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      taken.push(key);
      queue.done(key);
    }
  })();
  queue.addAfter('a', 5_000);
  queue.addAfter('a', 2_000);
  queue.addAfter('a', 9_000);
  queue.addAfter('b', 3_000);
  queue.addAfter('c', 1_000);
  queue.add('c');
  await clock.advance(1_500);
  assert.deepEqual(taken, ['c']);
  await clock.advance(1_000);
  assert.deepEqual(taken, ['c', 'a']);
  await clock.advance(60_000);
  assert.deepEqual(taken, ['c', 'a', 'b']);
  assert.equal(clock.sleepers, 0);
});

test('ten thousand delayed keys cost one sleeper and come in order', async () => {
  const { ports, clock } = setUp();
  const queue = openQueue({}, ports);
  const due = Array.from({ length: 10_000 }, (_, i) => ({ key: `k${i}`, ms: 1 + ((i * 7919) % 10_007) }));
  for (const { key, ms } of due) queue.addAfter(key, ms);
  assert.equal(clock.sleepers, 1);
  for (const { key } of due) queue.addAfter(key, 20_000);
  assert.equal(queue.depth.delayed, 10_000);
  // One step: every millisecond of it would otherwise be a turn of the clock of its own.
  queue.addAfter('last', 50_000);
  for (const { key } of due.slice(0, 9_990)) queue.add(key);
  await clock.advance(40_000);
  assert.deepEqual(queue.depth, { ready: 10_000, delayed: 1, working: 0 });
  queue.close();
});

test('failures back off, doubling up to the largest delay, until forgotten', () => {
  const { ports } = setUp();
  const queue = openQueue({ backoff: { firstMs: 100, maxMs: 1_000 } }, ports);
  assert.deepEqual(
    Array.from({ length: 6 }, () => queue.addFailed('a')),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  queue.forget('a');
  assert.equal(queue.addFailed('a'), 100);
  queue.close();
});

test('REC-14 runs as many keys at once as it has workers, and never one key twice', async () => {
  const { ports, clock } = setUp();
  const running = new Set<string>();
  let [most, runs] = [0, 0];
  await using controller = runController(
    {
      name: 'test',
      workers: 3,
      reconcile: async (key) => {
        assert.ok(!running.has(key), `${key} runs twice`);
        running.add(key);
        most = Math.max(most, running.size);
        await clock.sleep(100);
        running.delete(key);
        runs += 1;
        return {};
      },
    },
    ports,
  );
  for (const key of ['a', 'b', 'c', 'd', 'e']) controller.add(key);
  await clock.advance(50);
  for (const key of ['a', 'a', 'b']) controller.add(key);
  await clock.advance(1_000);
  assert.deepEqual([most, runs], [3, 7]);
});

test('an error is tried again when its policy says so', async () => {
  const { ports, clock } = setUp();
  const runs: string[] = [];
  await using controller = runController(
    {
      name: 'test',
      workers: 1,
      backoff: { firstMs: 1_000, maxMs: 10_000 },
      reconcile: (key) => {
        runs.push(key);
        if (key === 'passing' && runs.filter((one) => one === key).length < 3)
          throw new CodedError('kube/conflict', 'x');
        if (key === 'wrong') throw new CodedError('config/invalid', 'x');
        if (key === 'bug' && runs.filter((one) => one === key).length < 2) throw new TypeError('x');
        return Promise.resolve(key === 'again' && runs.length < 8 ? { againInMs: 30_000 } : {});
      },
    },
    ports,
  );
  for (const key of ['passing', 'wrong', 'bug', 'again']) controller.add(key);
  await clock.advance(60_000);
  assert.deepEqual(runs, ['passing', 'wrong', 'bug', 'again', 'passing', 'bug', 'passing', 'again']);
  assert.equal(controller.counts.failed, 4);
});

test('a reconcile that takes too long is aborted and tried again; one that ignores that frees its worker', async () => {
  const { ports, clock } = setUp();
  const runs: string[] = [];
  const stuck = Promise.withResolvers<undefined>();
  await using controller = runController(
    {
      name: 'test',
      workers: 1,
      timeoutMs: 1_000,
      backoff: { firstMs: 500, maxMs: 500 },
      reconcile: async (key, signal) => {
        runs.push(key);
        if (key === 'slow' && runs.length === 1) await clock.sleep(1e9, signal);
        if (key === 'deaf') await stuck.promise;
        return {};
      },
    },
    ports,
  );
  controller.add('slow');
  await clock.advance(2_000);
  assert.deepEqual(runs, ['slow', 'slow']);
  controller.add('deaf');
  await settle();
  controller.add('other');
  controller.add('deaf');
  await clock.advance(20_000);
  assert.deepEqual(runs, ['slow', 'slow', 'deaf', 'other'], 'deaf is not started a second time');
  stuck.resolve(undefined);
  await clock.advance(1_000);
  assert.deepEqual(runs, ['slow', 'slow', 'deaf', 'other', 'deaf']);
});

test('stop aborts what runs and takes no more', async () => {
  const { ports, clock } = setUp();
  let aborted = false;
  const controller = runController(
    {
      name: 'test',
      workers: 2,
      reconcile: async (_key, signal) => {
        await clock.sleep(1e9, signal).catch(() => {
          aborted = true;
        });
        return {};
      },
    },
    ports,
  );
  controller.add('a');
  await settle();
  await controller.stop();
  assert.ok(aborted);
  controller.add('b');
  assert.deepEqual(controller.counts, { reconciled: 1, failed: 0, ready: 0, delayed: 0, working: 0 });
});
