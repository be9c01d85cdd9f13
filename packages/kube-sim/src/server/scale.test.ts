import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { startKubeSim, type KubeSim } from '../index.ts';
import { call, type Answer } from '../testing/client.ts';

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const merge = 'application/merge-patch+json';

/** Who owns something: `*` marks an entry with a time, `replicas` one that owns them. What is expected is what a real server says. */
const ownersOf = (object: unknown): string =>
  listAt(object, 'metadata', 'managedFields')
    .map((entry) =>
      [
        stringAt(entry, 'manager'),
        stringAt(entry, 'subresource'),
        at(entry, 'time') === undefined ? undefined : '*',
        at(entry, 'fieldsV1', 'f:spec', 'f:replicas') === undefined ? undefined : 'replicas',
      ]
        .filter((part) => part !== undefined)
        .join(' '),
    )
    .join(', ');

describe('ownership of replicas through scale', () => {
  let sim: KubeSim;
  before(async () => {
    sim = await startKubeSim({ controllers: 'off' });
  });
  after(() => sim.stop());

  type Step = (name: string) => Promise<Answer>;
  const scale =
    (manager: string, replicas: number): Step =>
    (name) => {
      const body = {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name, namespace: 'default' },
        spec: { replicas },
      };
      return call(sim, `${deployments}/${name}/scale?fieldManager=${manager}`, { method: 'PUT', body });
    };
  const patchScale =
    (manager: string, replicas: number): Step =>
    (name) =>
      call(sim, `${deployments}/${name}/scale?fieldManager=${manager}`, {
        method: 'PATCH',
        type: merge,
        body: { spec: { replicas } },
      });
  const patch =
    (manager: string, body: unknown): Step =>
    (name) =>
      call(sim, `${deployments}/${name}?fieldManager=${manager}`, { method: 'PATCH', type: merge, body });
  const apply =
    (manager: string, replicas: number): Step =>
    (name) => {
      const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { replicas } };
      const type = 'application/apply-patch+yaml';
      return call(sim, `${deployments}/${name}?fieldManager=${manager}&force=true`, { method: 'PATCH', type, body });
    };

  const runs: Readonly<Record<string, readonly (readonly [Step, string])[]>> = {
    'who changes them owns them, through scale and untimed': [
      [scale('beta', 3), 'beta scale replicas, alpha *'],
      [scale('beta', 3), 'beta scale replicas, alpha *'],
      [scale('gamma', 3), 'beta scale replicas, alpha *'],
      [patchScale('gamma', 4), 'gamma scale replicas, alpha *'],
    ],
    'a scale that changes nothing takes the entry of an updater apart, and the next write forgets one part': [
      [scale('beta', 2), 'alpha replicas, alpha *'],
      [scale('beta', 2), 'alpha *'],
      [scale('beta', 3), 'alpha *'],
    ],
    'the same by a patch, with another write after it': [
      [patchScale('beta', 2), 'alpha replicas, alpha *'],
      [patch('alpha', { metadata: { labels: { a: 'b' } } }), 'alpha *'],
    ],
    'an applier keeps them until they change': [
      [apply('git', 7), 'git * replicas, alpha *'],
      [scale('beta', 7), 'git * replicas, alpha *'],
      [scale('beta', 8), 'beta scale replicas, alpha *'],
      [patch('alpha', { spec: { replicas: 9 } }), 'alpha * replicas'],
    ],
  };
  for (const [index, [title, steps]] of Object.entries(runs).entries())
    test(title, async () => {
      const name = `d-${index}`;
      const template = {
        metadata: { labels: { name } },
        spec: { containers: [{ name: 'main', image: 'example/x:1' }] },
      };
      const spec = { replicas: 2, selector: { matchLabels: { name } }, template };
      const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
      await call(sim, `${deployments}?fieldManager=alpha`, { method: 'POST', body });
      for (const [step, expected] of steps) {
        assert.equal((await step(name)).code, 200);
        assert.equal(ownersOf((await call(sim, `${deployments}/${name}`)).body), expected);
      }
    });
});
