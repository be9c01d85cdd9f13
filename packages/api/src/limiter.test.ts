import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { limiter } from './limiter.ts';

/** Runs that end when they are told to. */
function bench(limit: () => number) {
  const limited = limiter(limit);
  const running = new Map<string, () => void>();
  const started: string[] = [];
  let most = 0;
  const ask = (name: string): Promise<void> =>
    limited(async () => {
      started.push(name);
      await new Promise<void>((resolve) => {
        running.set(name, resolve);
        most = Math.max(most, running.size);
      });
      running.delete(name);
    });
  const end = async (...names: string[]): Promise<void> => {
    for (const name of names) running.get(name)?.();
    await turn();
  };
  return { ask, end, started, most: () => most };
}

test('REC-17 never more run than the limit, in the order of asking', async () => {
  const { ask, end, started, most } = bench(() => 2);
  const all = ['a', 'b', 'c', 'd', 'e'].map(ask);
  await turn();
  assert.deepEqual(started, ['a', 'b']);
  await end('b');
  // One who asks while another is being woken comes after it.
  all.push(ask('f'));
  await end('a', 'c');
  await end('d', 'e');
  await end('f');
  await Promise.all(all);
  assert.deepEqual(started, ['a', 'b', 'c', 'd', 'e', 'f']);
  assert.equal(most(), 2);
});

test('REC-17 a limit that changes counts from then on; there is always place for one', async () => {
  let limit = 0;
  const { ask, end, started, most } = bench(() => limit);
  const all = ['a', 'b', 'c', 'd'].map(ask);
  await turn();
  assert.deepEqual(started, ['a']);
  limit = 3;
  await end('a');
  assert.deepEqual(started, ['a', 'b', 'c', 'd']);
  limit = 1;
  all.push(ask('e'));
  await end('b', 'c');
  assert.equal(started.length, 4);
  await end('d');
  await end('e');
  await Promise.all(all);
  assert.equal(most(), 3);
});

test('REC-17 a run that fails gives its place back', async () => {
  const limited = limiter(() => 1);
  await assert.rejects(
    limited(() => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await limited(() => Promise.resolve(7)), 7);
});
