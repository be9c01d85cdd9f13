/** The first sync of many plain applications of five ConfigMaps each: time, the controller's CPU time and memory, calls per application. */
import { numberFlag } from './flags.ts';
import { benchApplications } from './input/monorepo.ts';
import { print } from './measure.ts';
import { rawApplies } from './raw-applies.ts';
import { requestsBetween } from './cluster.ts';
import { openScene } from './scene.ts';

const count = numberFlag('applications', 1000);
const objectCount = count * 5;
const deadlineMs = numberFlag('deadline', 900) * 1000;

const wanted = benchApplications(count, 'plain');
await using scene = await openScene(wanted);
const { cluster, controller, applications } = scene;
const applies = await rawApplies(cluster.client, Math.min(1000, objectCount));
const yardstick = {
  name: `the same ${objectCount} objects, each applied by one bare call`,
  value: (applies.wallMs * objectCount) / applies.count / 1000,
  unit: 's',
};
const bareCpu = { ...yardstick, value: (applies.cpuMs * objectCount) / applies.count / 1000 };

const requestsBefore = await cluster.requests();
const before = controller.usage();
const started = performance.now();
await scene.add(wanted);
const addedMs = performance.now() - started;
await scene.untilDone(wanted, deadlineMs);
const wallMs = performance.now() - started;
const after = controller.usage();
const stats = await controller.stats();
const requestsAfter = await cluster.requests();

const claim = `first sync of ${count} applications of 5 ConfigMaps (${cluster.kind} cluster)`;
const cpuMs = after.cpuMs - before.cpuMs;
const childrenMs = after.childrenCpuMs - before.childrenCpuMs;
print({ claim, value: wallMs / 1000, unit: 's', yardstick });
print({ claim: `${claim}, CPU of the controller`, value: cpuMs / 1000, unit: 's', yardstick: bareCpu });
print({ claim: `${claim}, CPU of its git and tools`, value: childrenMs / 1000, unit: 's', yardstick: bareCpu });
const memory = { name: 'the controller before it', value: before.peakRssBytes / 1e6, unit: 'MB' };
print({
  claim: `${claim}, peak memory of the controller`,
  value: after.peakRssBytes / 1e6,
  unit: 'MB',
  yardstick: memory,
});
console.log(`  the Applications were created in ${(addedMs / 1000).toFixed(1)} s; ${JSON.stringify(stats)}`);
console.log(`  synced: ${applications.all().filter(({ sync }) => sync === 'Synced').length}`);
if (requestsBefore !== undefined && requestsAfter !== undefined) {
  const requests = requestsBetween(requestsBefore, requestsAfter);
  // Creating the Applications is the bench's own doing.
  const own = requests.filter(([key]) => key !== 'APPLY applications').reduce((sum, [, number]) => sum + number, 0);
  const perApplication = { name: 'objects of an application', value: 5, unit: 'calls' };
  print({ claim: `${claim}, calls per application`, value: own / count, unit: 'calls', yardstick: perApplication });
  console.log(`  ${requests.map(([key, number]) => `${key} ${number}`).join(', ')}`);
}
