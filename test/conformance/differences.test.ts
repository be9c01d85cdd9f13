import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startKubeSim, type KubeSim } from '@tiphys/kube-sim';
import { ControlPlaneError, startControlPlane, type ControlPlane } from '../control-plane/start.ts';
import { connect, type Client } from './differential/api.ts';
import { agreements } from './differences/agreements.ts';
import { create, untilSeen, type Place, type See } from './differences/difference.ts';
import { differences } from './differences/all.ts';
import { entriesOf } from './differences/entries.ts';
import { root } from './harness/tools.ts';

/** Most of their time is waiting. */
const concurrency = 6;

type Clusters = Readonly<{ plane: ControlPlane; sim: KubeSim; real: Client; embedded: Client }>;

const entries = entriesOf(await readFile(join(root, 'packages/kube-sim/DIFFERENCES.md'), 'utf8'));

/** Both clusters of a group of tests; undefined where Go is absent. */
async function open(): Promise<Clusters | undefined> {
  try {
    const plane = await startControlPlane();
    const sim = await startKubeSim();
    const real = connect({ name: 'real', url: plane.server, token: plane.token, caPem: plane.caPem });
    const embedded = connect({ name: 'embedded', url: sim.url, token: sim.token, caPem: sim.caPem });
    return { plane, sim, real, embedded };
  } catch (error) {
    if (error instanceof ControlPlaneError && error.code === 'no-go') return undefined;
    throw error;
  }
}

/** What is seen on one cluster, in a namespace of its own. */
async function seenOn(name: Place['name'], { call }: Client, { see, namespace }: { see: See; namespace: string }) {
  const place: Place = { name, namespace, call };
  const path = `/api/v1/namespaces/${namespace}`;
  await create(place, '/api/v1/namespaces', { metadata: { name: namespace } });
  try {
    await untilSeen(place, `${path}/serviceaccounts/default`, () => true);
    return await see(place);
  } finally {
    await call({ method: 'DELETE', path });
  }
}

describe('the embedded cluster and the real one', { concurrency }, () => {
  let clusters: Clusters | undefined;

  before(async () => {
    clusters = await open();
  });
  after(async () => {
    clusters?.real.close();
    clusters?.embedded.close();
    await clusters?.sim.stop();
    await clusters?.plane.stop();
  });

  const compare = (text: string, see: See, wanted: Readonly<{ real: unknown; embedded: unknown; name: string }>) =>
    test(text, { timeout: 300_000 }, async (context) => {
      if (clusters === undefined) {
        context.skip('Go is absent: there is no real control plane to compare with');
        return;
      }
      const request = { see, namespace: `differences-${wanted.name}` };
      const [real, embedded] = await Promise.all([
        seenOn('real', clusters.real, request),
        seenOn('embedded', clusters.embedded, request),
      ]);
      const isOpen = wanted.real === undefined;
      assert.deepEqual(
        { real, embedded },
        isOpen ? { real, embedded: real } : { real: wanted.real, embedded: wanted.embedded },
      );
    });

  for (const { key, see, real, embedded } of differences)
    void compare(`differ: [${key}] ${entries.get(key) ?? 'is not in DIFFERENCES.md'}`, see, {
      real,
      embedded,
      name: key,
    });
  for (const [index, { what, see, both }] of agreements.entries())
    void compare(`agree: ${what}`, see, { real: both, embedded: both, name: `same-${index}` });
});
