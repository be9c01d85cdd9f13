import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from './harness/world.ts';

/** What all tests before have seen, together. */
export function vocabularyTests(world: World): void {
  test('REC-01 no application was ever compared again and again without a pause', (t) => {
    t.diagnostic(`the most comparisons within a second: ${world.controller.assertUnhurried()}`);
  });

  test('DIFF-04 the sync status was never anything but Synced, OutOfSync, Unknown; and was each of them', () => {
    assert.deepEqual([...world.seen.sync].toSorted(), ['OutOfSync', 'Synced', 'Unknown']);
  });

  test('HEALTH-01 the health was never anything but the six values; and was each of them', () => {
    const seen = [...world.seen.health].toSorted();
    assert.deepEqual(seen, ['Degraded', 'Healthy', 'Missing', 'Progressing', 'Suspended', 'Unknown']);
  });
}
