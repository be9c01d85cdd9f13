import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, CodedError, silentLogger, type KubeObject } from '@tiphys/api';
import { fakeClock } from '../testing/fake-clock.ts';
import { holdLease } from './lease.ts';
import type { Lease, LeaseOptions } from './types.ts';

/** One Lease, with the precondition that a server checks; it answers within the turn, so that no time passes unseen. */
function serveLease(): {
  client: LeaseOptions['client'];
  current: () => KubeObject | undefined;
  fail: (on: boolean) => void;
} {
  let lease: KubeObject | undefined;
  let version = 1;
  let failing = false;
  const answer = (object: KubeObject): Promise<KubeObject> => {
    version += 1;
    lease = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    return Promise.resolve(lease);
  };
  const refuse = (): void => {
    if (failing) throw new CodedError('kube/server-error', 'away');
  };
  const client: LeaseOptions['client'] = {
    get: async () => {
      refuse();
      return Promise.resolve(lease);
    },
    create: async (object) => {
      refuse();
      if (lease !== undefined) throw new CodedError('kube/already-exists', 'x');
      return answer(object);
    },
    replace: async (object) => {
      refuse();
      if (object.metadata.resourceVersion !== lease?.metadata.resourceVersion)
        throw new CodedError('kube/conflict', 'x');
      return answer(object);
    },
  };
  return { client, current: () => lease, fail: (on) => (failing = on) };
}

const setUp = () => {
  const server = serveLease();
  const clock = fakeClock();
  const ports = { log: silentLogger, clock, random: () => 0, monotonicMs: () => clock.now().getTime() };
  const hold = (identity: string, isGone?: LeaseOptions['isGone']): Lease =>
    holdLease({ client: server.client, namespace: 'argocd', name: 'owner', identity, isGone }, ports);
  return { server, clock, hold };
};

test('is held by one, renewed, and passed on at once when given back', async () => {
  const { server, clock, hold } = setUp();
  const a = hold('a');
  await clock.advance(100);
  const b = hold('b');
  await clock.advance(60_000);
  assert.deepEqual([a.held(), a.epoch, b.held(), b.epoch, b.holder], [true, 0, false, undefined, 'a']);
  await a.release();
  assert.equal(a.held(), false);
  assert.equal(at(server.current(), 'spec', 'holderIdentity'), '');
  await clock.advance(6_000);
  assert.deepEqual([b.held(), b.epoch], [true, 1]);
  await b.release();
});

test('is lost, and told so, before another can take it; then it is a new epoch', async () => {
  const { server, clock, hold } = setUp();
  await using a = hold('a');
  const told: string[] = [];
  a.onHeld((epoch) => told.push(`held ${epoch}`));
  a.onLost(() => told.push('lost'));
  await clock.advance(7_000);
  assert.deepEqual(told, ['held 0']);
  server.fail(true);
  await clock.advance(8_900);
  assert.equal(a.held(), true, 'renewed at 5 s: good for 12 s from then');
  await clock.advance(1_500);
  assert.deepEqual([a.held(), told], [false, ['held 0', 'lost']]);
  server.fail(false);
  await clock.advance(6_000);
  assert.deepEqual([a.epoch, told], [1, ['held 0', 'lost', 'held 1']]);
});

test('one that is not renewed is taken after it has been unchanged for its duration, whatever its times say', async () => {
  const { server, clock, hold } = setUp();
  const foreign: KubeObject = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'owner', namespace: 'argocd' },
    // Its holder's clock is a day behind.
    spec: {
      holderIdentity: 'gone',
      leaseDurationSeconds: 20,
      renewTime: '2029-12-31T00:00:00.000000Z',
      leaseTransitions: 7,
    },
  };
  await server.client.create(foreign);
  await using b = hold('b');
  await clock.advance(19_000);
  assert.equal(b.held(), false);
  await clock.advance(7_000);
  assert.deepEqual([b.held(), b.epoch], [true, 8]);
  assert.equal(at(server.current(), 'spec', 'holderIdentity'), 'b');
});

test('is not called lost when it is given back', async () => {
  const { clock, hold } = setUp();
  const a = hold('a');
  await clock.advance(100);
  let lost = 0;
  a.onLost(() => (lost += 1));
  await a.release();
  assert.deepEqual([a.held(), a.epoch, lost], [false, undefined, 0]);
});

test('REC-16 a holder that has certainly ended is not waited for, any other is', async () => {
  const { server, clock, hold } = setUp();
  const dead = new Set<string>();
  const isGone = (identity: string): Promise<boolean> => Promise.resolve(dead.has(identity));
  await using _a = hold('a');
  await clock.advance(100);
  server.fail(true); // a is dead: it renews no more
  await clock.advance(100);
  server.fail(false);
  const b = hold('b', isGone);
  await clock.advance(100);
  assert.equal(b.held(), false);
  dead.add('a');
  const c = hold('c', isGone);
  await clock.advance(100);
  assert.deepEqual([c.held(), c.epoch], [true, 1]);
  await Promise.all([b.release(), c.release()]);
});
