import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { differences } from './differences/all.ts';
import { entriesOf } from './differences/entries.ts';
import { root } from './harness/tools.ts';

test('each entry of DIFFERENCES.md has a test that notices when it changes, and each test an entry', async () => {
  const text = await readFile(join(root, 'packages/kube-sim/DIFFERENCES.md'), 'utf8');

  const entries = [...entriesOf(text).keys()];

  assert.ok(entries.length > 0);
  assert.deepEqual(entries.toSorted(), differences.map(({ key }) => key).toSorted());
});

test('an entry of DIFFERENCES.md without a key, or with one that is taken, is refused', () => {
  assert.throws(() => entriesOf('- nothing here\n'), /no key: nothing here/);
  assert.throws(() => entriesOf('- `[a]` one\n- `[a]` two\n'), /two items have the key a/);
  assert.deepEqual(
    [...entriesOf('- `[a-b]` One\n  thing. Two.\n\n- `[c]` Three\n')],
    [
      ['a-b', 'One thing.'],
      ['c', 'Three'],
    ],
  );
});
