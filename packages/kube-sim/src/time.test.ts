import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { startKubeSim } from './index.ts';
import { call } from './testing/client.ts';
import { fakeClock } from './testing/fake-clock.ts';

const jobs = '/apis/batch/v1/namespaces/default/jobs';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const template = (annotations: Record<string, string>, spec: Record<string, unknown> = {}) => ({
  metadata: { labels: { app: 'x' }, annotations },
  spec: { containers: [{ name: 'main', image: 'example/main:1' }], ...spec },
});

test('time is injected: every time is of that clock, and nothing happens until it is turned', async () => {
  const clock = fakeClock('2031-02-03T04:05:06Z');
  await using sim = await startKubeSim({ clock, simulation: { startMs: 60_000, runMs: 60_000, stopMs: 1000 } });
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'x' } }, template: template({}) },
  };
  const made = await call(sim, deployments, { method: 'POST', body: web });
  const longJob = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'long' },
    spec: { template: template({ 'sim.tiphys.dev/duration': '2h' }, { restartPolicy: 'Never' }) },
  };
  await call(sim, jobs, { method: 'POST', body: longJob });
  const available = async (): Promise<unknown> =>
    at((await call(sim, `${deployments}/web`)).body, 'status', 'availableReplicas');
  const completed = async (): Promise<string | undefined> =>
    stringAt((await call(sim, `${jobs}/long`)).body, 'status', 'completionTime');

  assert.equal(stringAt(made.body, 'metadata', 'creationTimestamp'), '2031-02-03T04:05:06Z');
  await clock.advance(59_000);
  assert.equal(await available(), undefined);
  await clock.advance(2000);
  assert.equal(await available(), 2);
  assert.equal(await completed(), undefined);
  await clock.advance(2 * 3_600_000);
  assert.match((await completed()) ?? '', /^2031-02-03T06:0[5-9]:/);
});

test('an event is kept for an hour of that clock', async () => {
  const clock = fakeClock('2031-02-03T04:05:06Z');
  await using sim = await startKubeSim({ clock });
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'seen' },
    involvedObject: { kind: 'Namespace', name: 'default', namespace: 'default' },
    lastTimestamp: '2031-02-03T04:05:06Z',
  };
  const events = '/api/v1/namespaces/default/events';
  await call(sim, events, { method: 'POST', body });
  const kept = async (): Promise<number> => listAt((await call(sim, events)).body, 'items').length;

  await clock.advance(59 * 60_000);
  assert.equal(await kept(), 1);
  await clock.advance(2 * 60_000);
  assert.equal(await kept(), 0);
});
