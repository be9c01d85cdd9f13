import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, listAt, stringAt } from '@tiphys/api';
import type { ApplicationView } from './harness/application.ts';
import { configMap } from './harness/manifests.ts';
import { onPushedClock } from './harness/own-controller.ts';
import type { PushedClock } from './harness/pushed-clock.ts';
import type { Scene } from './harness/scene.ts';
import type { World } from './harness/world.ts';

const second = 1000;
const minute = 60 * second;

/** Until when an application says that it waits for something of this code. */
function waitsUntil({ object }: ApplicationView, code: string): Date | undefined {
  const wait = listAt(object, 'status', 'waitingFor').find((one) => stringAt(one, 'code') === code);
  const until = stringAt(wait, 'until');
  return until === undefined ? undefined : new Date(until);
}

/** Has an operation fail as often as it likes, without waiting; the seconds that it says it will wait before each try. */
async function delaysOf(scene: Scene, clock: PushedClock, retry: object): Promise<readonly number[]> {
  const before = await scene.until('compared', (view) => view.sync !== '');
  await scene.request({}, { operation: { retry } });
  const delays: number[] = [];
  for (;;) {
    const view = await scene.until(
      'waits for its next try, or has failed',
      ({ startedAt, retryCount, phase }) =>
        startedAt !== before.startedAt && (retryCount === delays.length + 1 || phase === 'Failed'),
    );
    const until = waitsUntil(view, 'waiting-for-retry');
    if (view.phase === 'Failed' || until === undefined) return delays;
    delays.push((until.getTime() - Date.parse(view.finishedAt)) / second);
    clock.push(until.getTime() + second - clock.now().getTime());
  }
}

/** What happens after minutes, on a clock that the test pushes on. */
export function clockTests(world: World): void {
  test('REC-02 a commit is noticed after the 180 s of the interval, or those of timeout.reconciliation as soon as it says so', async (t) => {
    const clock = await onPushedClock(world, t);
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated();
    await scene.untilSettled();
    const next = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    clock.push(2 * minute);
    await scene.stays('not noticed yet', (view) => view.revision !== next, { timeoutMs: 1500 });
    clock.push(1 * minute);
    await scene.untilSettled(next, { timeoutMs: 10_000 });

    const third = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'three' }) });
    clock.push(1 * minute);
    await scene.stays('not noticed yet', (view) => view.revision !== third, { timeoutMs: 1000 });
    await world.setConfigMap(t, 'argocd-cm', { 'timeout.reconciliation': '60s' });
    await scene.untilSettled(third, { timeoutMs: 10_000 });

    const fourth = await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'four' }) });
    clock.push(1 * minute);
    await scene.untilSettled(fourth, { timeoutMs: 10_000 });
  });

  test('SYNC-11 between waves that wrote something there is a pause: 2 s, or controller.sync.wave.delay.seconds', async (t) => {
    const clock = await onPushedClock(world, t);
    const waves = (value: string) => [0, 1].map((wave) => configMap(`wave${wave}`, { key: value }, { wave }));
    const scene = await world.scene(t, { 'app/a.yaml': waves('one') });
    await scene.create();
    await scene.until('compared', (view) => view.sync !== '');
    clock.stop();
    await scene.request();
    await scene.untilObject('ConfigMap/wave0', 'is made', (object) => object !== undefined);
    clock.push(1900);
    await sleep(500);
    assert.equal(await scene.get('ConfigMap/wave1'), undefined, 'the second wave waits');
    clock.push(100);
    await scene.untilObject('ConfigMap/wave1', 'is made', (object) => object !== undefined);
    clock.run();
    await scene.until('Succeeded', (view) => view.phase === 'Succeeded' && !view.requested);

    await world.setParameters(t, { 'controller.sync.wave.delay.seconds': '600' });
    const unchanged = await scene.sync();
    assert.equal(unchanged.phase, 'Succeeded', 'a wave that wrote nothing is followed at once');
    const revision = await scene.repository.commit({ 'app/a.yaml': waves('two') });
    await scene.refresh();
    await scene.until('sees the commit', (view) => view.revision === revision);
    await scene.request();
    const view = await scene.until('says so', (seen) => waitsUntil(seen, 'wave-delay') !== undefined);
    const leftMs = (waitsUntil(view, 'wave-delay')?.getTime() ?? 0) - clock.now().getTime();
    assert.ok(leftMs > 590 * second && leftMs <= 600 * second, `${leftMs} ms`);
    assert.deepEqual(await scene.data('wave1'), { key: 'one' });
    clock.push(600 * second);
    await scene.until('Succeeded', (seen) => seen.phase === 'Succeeded' && !seen.requested);
    assert.deepEqual(await scene.data('wave1'), { key: 'two' });
  });

  test('SYNC-48 SYNC-49 the delays of the documented policies, and of none, in every form of a duration', async (t) => {
    const clock = await onPushedClock(world, t);
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a', {}, { namespace: 'no-such-namespace-here' }) });
    await scene.create();
    const policies: readonly (readonly [object, readonly number[]])[] = [
      [{ limit: 5, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } }, [5, 10, 20, 40, 80]],
      [{ limit: 3, backoff: { duration: '10s', factor: 2, maxDuration: '3m0s' } }, [10, 20, 40]],
      [{ limit: 4, backoff: { duration: '1m', factor: 2 } }, [60, 120, 180, 180]],
      [{ limit: 4, backoff: { duration: '90', factor: 3, maxDuration: '1h1m0s' } }, [90, 270, 810, 2430]],
      [{ limit: 2, backoff: { duration: '1h', factor: 2, maxDuration: '1.5h' } }, [3600, 5400]],
      [{ limit: 2 }, [5, 10]],
    ];
    for (const [retry, wanted] of policies) assert.deepEqual(await delaysOf(scene, clock, retry), wanted);
  });

  test('REC-11 the pauses of self-heal grow from 2 s to 5 minutes, and begin anew after a while', async (t) => {
    const clock = await onPushedClock(world, t);
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated({ automated: { selfHeal: true } });
    await scene.untilSettled();
    let count = 0;
    const pauseOf = async (): Promise<number> => {
      const { finishedAt } = await scene.untilSettled();
      count += 1;
      clock.stop();
      await scene.patch('ConfigMap/a', { data: { key: `fight ${count}` } });
      const view = await scene.until('waits', (seen) => {
        // Changes that come together are looked at together, after a moment of this clock too.
        clock.push(60);
        return waitsUntil(seen, 'self-heal-backoff') !== undefined;
      });
      const until = waitsUntil(view, 'self-heal-backoff')?.getTime() ?? 0;
      clock.run();
      clock.push(until - clock.now().getTime());
      await scene.untilSettled();
      return (until - Date.parse(finishedAt)) / second;
    };
    const pauses: number[] = [];
    for (let round = 0; round < 7; round += 1) pauses.push(await pauseOf());
    assert.deepEqual(pauses, [2, 6, 18, 54, 162, 300, 300]);
    clock.push(6 * minute);
    await scene.patch('ConfigMap/a', { data: { key: 'much later' } });
    await scene.untilObject('ConfigMap/a', 'is healed at once', (object) => at(object, 'data', 'key') === 'one');
    assert.equal(await pauseOf(), 6, 'the one before was a first one again');
  });
}
