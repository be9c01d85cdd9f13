import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, isRecord, type KubeObject } from '@tiphys/api';
import fc from 'fast-check';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMergePatch } from './strategic-merge.ts';

const object = (fields: Record<string, unknown>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  ...fields,
});

const part = (patched: KubeObject, field: string): unknown => patched[field];

const jsonCases: readonly (readonly [title: string, before: unknown, operations: unknown[], after: unknown])[] = [
  ['add to a map', {}, [{ op: 'add', path: '/x/a', value: 1 }], { a: 1 }],
  ['add in the middle of a list', ['a', 'c'], [{ op: 'add', path: '/x/1', value: 'b' }], ['a', 'b', 'c']],
  ['add at the end of a list', ['a'], [{ op: 'add', path: '/x/-', value: 'b' }], ['a', 'b']],
  ['remove', { a: 1, b: 2 }, [{ op: 'remove', path: '/x/a' }], { b: 2 }],
  ['replace', { a: 1 }, [{ op: 'replace', path: '/x/a', value: 2 }], { a: 2 }],
  ['move', { a: 1 }, [{ op: 'move', from: '/x/a', path: '/x/b' }], { b: 1 }],
  ['copy', { a: [1] }, [{ op: 'copy', from: '/x/a', path: '/x/b' }], { a: [1], b: [1] }],
  ['a test that holds', { a: { b: [1] } }, [{ op: 'test', path: '/x/a', value: { b: [1] } }], { a: { b: [1] } }],
  ['a test for nothing', {}, [{ op: 'test', path: '/x/a', value: null }], {}],
  [
    '~0 and ~1',
    { 'a/b': 1, 'c~d': 2 },
    [
      { op: 'remove', path: '/x/a~1b' },
      { op: 'remove', path: '/x/c~0d' },
    ],
    {},
  ],
  ['an index from the end', ['a', 'b'], [{ op: 'remove', path: '/x/-1' }], ['a']],
];

for (const [title, before, operations, after] of jsonCases)
  test(`JSON patch: ${title}`, () => {
    assert.deepEqual(part(jsonPatch(object({ x: before }), operations), 'x'), after);
  });

const unfit: readonly (readonly [string, unknown[]])[] = [
  ['a test that fails', [{ op: 'test', path: '/x', value: 'other' }]],
  ['removing what is not there', [{ op: 'remove', path: '/y' }]],
  ['a missing parent', [{ op: 'add', path: '/y/z', value: 1 }]],
  ['an index beyond the end', [{ op: 'add', path: '/x/7', value: 1 }]],
  ['an unknown operation', [{ op: 'frobnicate', path: '/x' }]],
];

for (const [title, operations] of unfit)
  test(`JSON patch refuses ${title}`, () => {
    assert.throws(() => jsonPatch(object({ x: [] }), operations), { code: 422, reason: 'Invalid' });
  });

test('JSON patch leaves the given object alone', () => {
  const live = object({ x: { a: [1] } });
  const before = canonicalJson(live);
  jsonPatch(live, [{ op: 'add', path: '/x/a/-', value: 2 }]);
  assert.equal(canonicalJson(live), before);
});

// RFC 7386, appendix A, as far as objects go.
const mergeCases: readonly (readonly [before: unknown, patch: unknown, after: unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

for (const [before, patch, after] of mergeCases)
  test(`merge patch ${canonicalJson(patch)} on ${canonicalJson(before)}`, () => {
    assert.deepEqual(part(mergePatch(object({ x: before }), { x: patch }), 'x'), after);
  });

const json = fc.jsonValue({ maxDepth: 3 });

/** The patch that turns one value into another. */
function between(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after)) return after;
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries([...keys].map((key) => [key, key in after ? between(before[key], after[key]) : null]));
}

const hasNull = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value).some(hasNull));

test('a merge patch made from two objects turns the one into the other', () => {
  const values = fc.dictionary(fc.constantFrom('a', 'b', 'c'), json).filter((value) => !hasNull(value));
  fc.assert(
    fc.property(values, values, (before, after) => {
      const patched = mergePatch(object({ x: before }), { x: between(before, after) });
      assert.equal(canonicalJson(part(patched, 'x')), canonicalJson(after));
    }),
  );
});

const pods = { ref: 'core.v1.Pod' };
const main = { name: 'main', image: 'a' };
const side = { name: 'side', image: 'b' };

const strategicCases: readonly (readonly [
  string,
  Record<string, unknown>,
  Record<string, unknown>,
  Record<string, unknown>,
])[] = [
  [
    'an item by its key',
    { containers: [main, side] },
    { containers: [{ name: 'side', image: 'c' }] },
    { containers: [main, { ...side, image: 'c' }] },
  ],
  [
    'a new item goes before those that the patch does not name',
    { containers: [main] },
    { containers: [side] },
    { containers: [side, main] },
  ],
  [
    '$patch: delete of an item',
    { containers: [main, side] },
    { containers: [{ name: 'main', $patch: 'delete' }] },
    { containers: [side] },
  ],
  [
    '$patch: replace of a list',
    { containers: [main, side] },
    { containers: [{ $patch: 'replace' }, { name: 'new' }] },
    { containers: [{ name: 'new' }] },
  ],
  [
    '$patch: replace of a map',
    { securityContext: { runAsUser: 1, fsGroup: 2 } },
    { securityContext: { $patch: 'replace', runAsUser: 3 } },
    { securityContext: { runAsUser: 3 } },
  ],
  [
    '$patch: delete of a map',
    { nodeSelector: { a: 'b' } },
    { nodeSelector: { $patch: 'delete' } },
    { nodeSelector: {} },
  ],
  [
    '$setElementOrder',
    { containers: [main, side] },
    { containers: [{ name: 'side', image: 'c' }], '$setElementOrder/containers': [{ name: 'side' }, { name: 'main' }] },
    { containers: [{ ...side, image: 'c' }, main] },
  ],
  [
    '$retainKeys',
    { volumes: [{ name: 'v', configMap: { name: 'c' } }] },
    { volumes: [{ name: 'v', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] },
    { volumes: [{ name: 'v', emptyDir: {} }] },
  ],
  [
    'an atomic list is replaced',
    { tolerations: [{ key: 'a' }] },
    { tolerations: [{ key: 'b' }] },
    { tolerations: [{ key: 'b' }] },
  ],
  ['null removes', { nodeName: 'n', hostname: 'h' }, { nodeName: null }, { hostname: 'h' }],
  [
    'nulls in a new map are left out',
    {},
    { securityContext: { runAsUser: 1, fsGroup: null } },
    { securityContext: { runAsUser: 1 } },
  ],
  [
    'directives in a new list are left out',
    {},
    { containers: [main, { name: 'x', $patch: 'delete' }] },
    { containers: [main] },
  ],
];

for (const [title, before, patch, after] of strategicCases)
  test(`strategic merge: ${title}`, () => {
    assert.deepEqual(part(strategicMergePatch(object({ spec: before }), { spec: patch }, pods), 'spec'), after);
  });

test('strategic merge: primitives are added once, and removed by $deleteFromPrimitiveList', () => {
  const live = { ...object({}), metadata: { name: 'p', finalizers: ['a', 'b'] } };
  const added = strategicMergePatch(live, { metadata: { finalizers: ['b', 'c'] } }, pods);
  assert.deepEqual(added.metadata.finalizers, ['a', 'b', 'c']);
  const removed = strategicMergePatch(live, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }, pods);
  assert.deepEqual(removed.metadata.finalizers, ['b']);
});

test('strategic merge names the item that lacks its key', () => {
  const patch = { spec: { containers: [{ image: 'x' }] } };
  assert.throws(() => strategicMergePatch(object({ spec: { containers: [main] } }), patch, pods), {
    code: 500,
    message: 'map: map[image:x] does not contain declared merge key: name',
  });
});

test('a patch without directives and lists is the same strategic or plain', () => {
  const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.option(fc.constantFrom('1', '2')));
  fc.assert(
    fc.property(labels, labels, (before, patch) => {
      const given = Object.fromEntries(Object.entries(before).filter(([, value]) => value !== null));
      const live: KubeObject = { ...object({}), metadata: { name: 'p', labels: given as Record<string, string> } };
      const change = { metadata: { labels: patch } };
      assert.deepEqual(strategicMergePatch(live, change, pods), mergePatch(live, change));
    }),
  );
});

// Stored objects may use one value in two places; a patch of the one once changed the other.
test('a patch changes only the place that it names, whatever the object shares', () => {
  const shared = { a: '1' };
  const live: KubeObject = { ...object({ spec: { nodeSelector: shared } }), metadata: { name: 'p', labels: shared } };
  const change = { metadata: { labels: { b: '2' } } };
  assert.deepEqual(part(strategicMergePatch(live, change, pods), 'spec'), { nodeSelector: { a: '1' } });
  const added = jsonPatch(live, [{ op: 'add', path: '/metadata/labels/b', value: '2' }]);
  assert.deepEqual(part(added, 'spec'), { nodeSelector: { a: '1' } });
});
