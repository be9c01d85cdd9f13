/** How soon an object that somebody deletes is back. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '@tiphys/kube';
import { numberFlag } from './flags.ts';
import { benchApplications } from './input/monorepo.ts';
import { median, print } from './measure.ts';
import { rawApplies } from './raw-applies.ts';
import { openScene } from './scene.ts';

const count = numberFlag('applications', 100);
const rounds = numberFlag('rounds', 10);

const wanted = benchApplications(count, 'plain');
await using scene = await openScene(wanted);
const applies = await rawApplies(scene.cluster.client, 200);
await scene.add(wanted);
await scene.untilDone(wanted, 300_000);
await sleep(3000);

// Each time another application: the self-heal of one that was healed a moment ago waits for its back-off.
const times: number[] = [];
for (const { name, namespace } of wanted.slice(0, rounds)) {
  times.push(await timeToHeal(scene.cluster.client, { namespace, name: `${name}-0` }));
  await sleep(500);
}
const yardstick = { name: 'one bare apply call', value: applies.wallMs / applies.count, unit: 'ms' };
const claim = `a deleted object is back (${scene.cluster.kind} cluster, ${rounds} rounds)`;
print({ claim: `${claim}, median`, value: median(times), unit: 'ms', yardstick, atMost: 200 });
print({ claim: `${claim}, slowest`, value: Math.max(...times), unit: 'ms', yardstick });

async function timeToHeal(client: KubeClient, place: Readonly<{ namespace: string; name: string }>): Promise<number> {
  const ref = { gvk: { group: '', version: 'v1', kind: 'ConfigMap' }, ...place };
  const old = await client.get(ref);
  const started = performance.now();
  await client.delete(ref);
  for (;;) {
    const now = await client.get(ref);
    if (now !== undefined && now.metadata.uid !== old?.metadata.uid) return performance.now() - started;
    if (performance.now() - started > 60_000) throw new Error(`${place.name} was not back after 60 s`);
    await sleep(5);
  }
}
