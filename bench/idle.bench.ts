/** What the controller costs when nothing happens: CPU and memory with many applications Synced, polling on, watches open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { hasFlag, numberFlag } from './flags.ts';
import { benchApplications, type Mix } from './input/monorepo.ts';
import { difference, nodeMemory, print, startMeasured } from './measure.ts';
import { openScene } from './scene.ts';

const count = numberFlag('applications', 1000);
/** A whole `timeout.reconciliation`: a shorter while could miss the comparisons at its end. */
const seconds = numberFlag('seconds', 180);
/**
 * Long enough for the work of the sync to have come to rest, and for the decode workers to have ended (after 60 s): their CPU time,
 * most of it of the sync, counts as the controller's at that moment.
 */
const settleMs = numberFlag('settle', 75) * 1000;
const mix: Mix = hasFlag('plain') ? 'plain' : 'mixed';

const wanted = benchApplications(count, mix);
await using scene = await openScene(wanted);
await scene.add(wanted);
await scene.untilDone(wanted, 900_000);
await sleep(settleMs);

const idleNode = await startMeasured(process.execPath, ['--eval', 'setInterval(() => {}, 500)']);
const nodeBefore = idleNode.usage();
const before = scene.controller.usage();
await sleep(seconds * 1000);
const stats = await scene.controller.stats();
const used = difference(before, scene.controller.usage());
const nodeUsed = difference(nodeBefore, idleNode.usage());
await idleNode.stop();

const share = (cpuMs: number): number => (cpuMs / (seconds * 1000)) * 100;
const claim = `idle with ${count} ${mix} applications Synced, over ${seconds} s`;
print({
  claim: `${claim}, CPU of the controller and its git`,
  value: share(used.cpuMs + used.childrenCpuMs),
  unit: '% of a core',
  yardstick: { name: 'a node with a timer twice a second', value: share(nodeUsed.cpuMs), unit: '% of a core' },
  atMost: 1,
});
print({
  claim: `${claim}, memory of the controller`,
  value: used.rssBytes / 1e6,
  unit: 'MB',
  yardstick: await nodeMemory(),
  atMost: 250,
});
console.log(`  ${JSON.stringify(stats)}`);
