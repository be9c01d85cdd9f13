/**
 * One commit that touches one of N applications of a monorepo: what is rendered, what changes, how long it takes and what it costs,
 * for a growing N on one controller; then a commit to a base that 40 share.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDone } from './applications.ts';
import { pollMs } from './controller.ts';
import { numberFlag, numbersFlag } from './flags.ts';
import { type BenchApplication, benchApplications } from './input/monorepo.ts';
import { baseSize } from './input/shapes.ts';
import { helmRun, median, print, timed, type Yardstick } from './measure.ts';
import { rawApplies } from './raw-applies.ts';
import { openScene, type Scene } from './scene.ts';

const sizes = numbersFlag('applications', [100, 300, 1000]);
const rounds = numberFlag('rounds', 8);

const all = benchApplications(Math.max(...sizes), 'mixed');
// The comparisons that are due by the clock, in which untouched applications take on the newest revision, are no work of a commit.
await using scene = await openScene(all, ['--app-resync', '2h']);
const applies = await rawApplies(scene.cluster.client, 200);
const applyMs = applies.wallMs / applies.count;
const helm = await helmRun();

/** The least that anybody needs for it: ask the repository, one render, one apply. */
const yardstick: Yardstick = {
  name: 'git ls-remote, one helm template and one apply call',
  value: (await timed(lsRemote)) + helm.value + applyMs,
  unit: 'ms',
};

for (const size of sizes.toSorted((a, b) => a - b)) {
  const wanted = all.slice(0, size);
  await scene.add(wanted);
  await scene.untilDone(wanted, 900_000);
  await sleep(5000);
  await oneOf(size);
}
await sharedBase(Math.max(...sizes));

function lsRemote(): void {
  execFileSync('git', ['ls-remote', scene.repository.directory, 'refs/heads/main'], { stdio: 'ignore' });
}

type Observed = Readonly<{ ms: number; afterTriggerMs: number | undefined }>;

/** From the commit to Synced and Healthy at that commit, as a watch sees it. */
async function arrival(commit: Promise<string>, touched: readonly BenchApplication[]): Promise<Observed> {
  const noticed = scene.controller.nextLine('new commit', 60_000);
  const revision = await commit;
  const started = performance.now();
  await scene.applications.until(
    touched.map(({ name }) => name),
    (seen) => isDone(seen) && seen.revision === revision && seen.phase === 'Succeeded',
    120_000,
  );
  const ended = performance.now();
  return { ms: ended - started, afterTriggerMs: ended - (await noticed).atMs };
}

async function oneOf(size: number): Promise<void> {
  const { controller, applications, repository } = scene;
  const idleMs = await cpuOver(scene, rounds * 2000);
  const statsBefore = await controller.stats();
  const before = controller.usage();
  const changes = applications.countChanges();
  const times: number[] = [];
  const beyond: number[] = [];
  const startedMs = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    const touched = all[(round * 13) % size];
    if (touched === undefined) throw new Error('no application to touch');
    const { ms, afterTriggerMs } = await arrival(repository.touch(touched), [touched]);
    times.push(ms);
    beyond.push(afterTriggerMs ?? ms);
    // Not in step with the poll, which would make every wait for it the same.
    await sleep(Math.max(0, 2000 - ms) + ((round * 371) % pollMs));
  }
  const after = controller.usage();
  const elapsedMs = performance.now() - startedMs;
  changes.stop();
  const stats = await controller.stats();
  const renders = (stats.renders - statsBefore.renders) / rounds;
  const claim = `a commit that touches 1 of ${size} applications`;
  const one = { name: 'applications touched', value: 1, unit: '' };
  print({ claim: `${claim}, renders`, value: renders, unit: '', yardstick: one, atMost: 1 });
  print({
    claim: `${claim}, changed applications`,
    value: changes.byName().size / rounds,
    unit: '',
    yardstick: one,
    atMost: 1,
  });
  print({
    claim: `${claim}, comparisons`,
    value: (stats.compared - statsBefore.compared) / rounds,
    unit: '',
    yardstick: one,
  });
  print({
    claim: `${claim}, commit to Synced with a poll every ${pollMs} ms`,
    value: median(times),
    unit: 'ms',
    yardstick,
  });
  print({
    claim: `${claim}, from the poll that saw it to Synced`,
    value: median(beyond),
    unit: 'ms',
    yardstick,
    atMost: 1000,
  });
  print({
    claim: `${claim}, slowest of ${rounds} beyond the poll`,
    value: Math.max(...times) - pollMs,
    unit: 'ms',
    yardstick,
    atMost: 1000,
  });
  const idleShare = (idleMs * elapsedMs) / (rounds * 2000);
  const cpu = (after.cpuMs - before.cpuMs + after.childrenCpuMs - before.childrenCpuMs - idleShare) / rounds;
  const helmCpu = { ...helm, name: 'one run of helm template (wall)' };
  print({ claim: `${claim}, CPU of controller and tools beyond idle`, value: cpu, unit: 'ms', yardstick: helmCpu });
}

/** CPU time of the controller and its children over a while in which nothing happens. */
async function cpuOver({ controller }: Scene, ms: number): Promise<number> {
  const before = controller.usage();
  await sleep(ms);
  const after = controller.usage();
  return after.cpuMs - before.cpuMs + after.childrenCpuMs - before.childrenCpuMs;
}

async function sharedBase(size: number): Promise<void> {
  const touched = all.slice(0, size).filter(({ shape, shapeIndex }) => shape === 'kustomize' && shapeIndex < baseSize);
  const { controller, applications, repository } = scene;
  const before = await controller.stats();
  const changes = applications.countChanges();
  const { ms } = await arrival(repository.touchBase(0), touched);
  await sleep(2000);
  changes.stop();
  const after = await controller.stats();
  const claim = `a commit to a base that ${touched.length} of ${size} applications share`;
  const share = { name: 'applications on it', value: touched.length, unit: '' };
  print({
    claim: `${claim}, renders`,
    value: after.renders - before.renders,
    unit: '',
    yardstick: share,
    atMost: touched.length,
  });
  print({
    claim: `${claim}, changed applications`,
    value: changes.byName().size,
    unit: '',
    yardstick: share,
    atMost: touched.length,
  });
  print({ claim: `${claim}, commit to all Synced`, value: ms, unit: 'ms', yardstick });
}
