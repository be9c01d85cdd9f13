import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf, keyText, type KubeObject, systemClock, withTracking } from '@tiphys/api';
import { openTrim } from './live-entry.ts';
import { openRecentWrites } from './recent-writes.ts';

const tracking = { method: 'annotation', instanceLabelKey: 'app.kubernetes.io/instance', installationId: '' } as const;

const service = (resourceVersion: string): KubeObject =>
  withTracking(
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default', resourceVersion } },
    'shop',
    tracking,
  );
const key = keyText(keyOf(service('1')));

test('a write shows until the watch brings it', () => {
  const writes = openRecentWrites(systemClock, tracking, openTrim());
  writes.written(service('5'));
  assert.notEqual(writes.get(key), undefined);
  writes.seen(key, '5');
  assert.equal(writes.get(key), undefined);
});

test('an answer that comes after its event hides nothing newer', () => {
  // A Service once looked without its address for ten seconds: both events had come before the answer to its creation.
  const writes = openRecentWrites(systemClock, tracking, openTrim());
  writes.seen(key, '5');
  writes.seen(key, '6');
  writes.written(service('5'));
  assert.equal(writes.get(key), undefined);
});

test('a delete that the watch has shown is not laid over what came after it', () => {
  const writes = openRecentWrites(systemClock, tracking, openTrim());
  writes.seen(key, 'gone');
  writes.deleted(service('5'));
  assert.equal(writes.get(key), undefined);
});

test('the event of a write is told from those of others by its version', () => {
  const writes = openRecentWrites(systemClock, tracking, openTrim());
  writes.written(service('5'));
  const [write] = writes.pendingOf('shop');
  assert.deepEqual(write, { instance: 'shop' });
  assert.deepEqual([...writes.pendingOf('other')], []);
  assert.equal(writes.seen(key, '5'), write);
  assert.equal(writes.seen(key, '5'), undefined, 'once');

  // Somebody wrote before us, and their event comes after our answer.
  writes.written(service('7'));
  assert.equal(writes.seen(key, '6'), undefined);
  assert.equal(writes.seen(key, '7'), undefined, 'what came in between is not known, so this is news as well');
  writes.deleted(service('8'));
  assert.equal(writes.seen(key, 'gone'), undefined);
});

test('what the watch shows of a write is what is kept of it already; another version, or object, is not', () => {
  const writes = openRecentWrites(systemClock, tracking, openTrim());
  const written = { ...service('5'), metadata: { ...service('5').metadata, uid: 'u' } };
  writes.written(written);
  const kept = writes.get(key);
  const shown = structuredClone(written);
  assert.equal(writes.sameAs(shown), kept);
  assert.equal(writes.sameAs({ ...shown, metadata: { ...shown.metadata, resourceVersion: '6' } }), undefined);
  assert.equal(writes.sameAs({ ...shown, metadata: { ...shown.metadata, uid: 'other' } }), undefined);
  assert.equal(writes.sameAs({ ...shown, metadata: { ...shown.metadata, name: 'other' } }), undefined);
  assert.equal(writes.sameAs({ ...shown, apiVersion: 'v2' }), undefined);
});
