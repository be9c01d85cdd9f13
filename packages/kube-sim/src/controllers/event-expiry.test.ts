import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@tiphys/api';
import { startKubeSim } from '../index.ts';
import { eventually } from '../testing/client.ts';

const event = (name: string, lastTimestamp: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
  involvedObject: { kind: 'Namespace', name: 'default', namespace: 'default' },
  lastTimestamp,
});

test('an event is gone an hour after it was last written', async () => {
  const now = Date.now();
  const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString().replace(/\.\d+Z$/, 'Z');

  await using sim = await startKubeSim({ objects: [event('old', ago(61)), event('young', ago(59))] });

  const stored = (name: string): unknown => sim.stored({ resource: 'events', namespace: 'default', name });
  await eventually(() => assert.equal(stored('old'), undefined));
  assert.notEqual(stored('young'), undefined);
});
