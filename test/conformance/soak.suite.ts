import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '@tiphys/api';
import { configMap, deployment, job } from './harness/manifests.ts';
import type { Recorder } from './harness/recorder.ts';
import { annotationOf, type Scene } from './harness/scene.ts';
import type { World } from './harness/world.ts';

const seed = Number(process.env['TIPHYS_SOAK_SEED'] ?? 7);
const steps = Number(process.env['TIPHYS_SOAK'] ?? 25);
const applications = 4;
const attemptMark = 'tiphys.io/operation';

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function dice(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** One application, what Git says it is, and what somebody else put beside it. */
type Subject = {
  readonly scene: Scene;
  readonly wanted: Map<string, string>;
  readonly foreign: Map<string, string>;
  readonly jobs: Recorder;
};

type Play = Readonly<{
  world: World;
  subjects: readonly Subject[];
  roll: () => number;
  /** Repositories are asked so rarely that only a refresh brings a commit here. */
  poll: { isRare: boolean };
}>;

const pick = <T>(from: readonly T[], roll: () => number): T => {
  const found = from[Math.floor(roll() * from.length)];
  assert.ok(found !== undefined);
  return found;
};

const fileOf = (name: string): string => `app/${name}.yaml`;

/** Everything that happens to applications, each as likely as its place in the list is frequent. */
const happenings: Readonly<Record<string, (subject: Subject, play: Play) => Promise<unknown>>> = {
  change: async ({ scene, wanted }, { roll, poll }) => {
    const name = pick([...wanted.keys(), `map-${Math.floor(roll() * 8)}`], roll);
    const value = String(Math.floor(roll() * 1000));
    wanted.set(name, value);
    await scene.repository.commit({ [fileOf(name)]: configMap(name, { key: value }) });
    if (poll.isRare) await scene.patchApplication(annotatedRefresh('normal'));
  },
  remove: async ({ scene, wanted }, { roll }) => {
    if (wanted.size < 2) return;
    const name = pick([...wanted.keys()], roll);
    wanted.delete(name);
    await scene.repository.remove(fileOf(name));
  },
  edit: ({ scene, wanted }, { roll }) =>
    scene.patch(`ConfigMap/${pick([...wanted.keys()], roll)}`, { data: { key: 'edited' } }).catch(() => undefined),
  lose: ({ scene, wanted }, { roll }) =>
    scene.delete(`ConfigMap/${pick([...wanted.keys()], roll)}`).catch(() => undefined),
  strange: async ({ scene, foreign }, { roll }) => {
    const name = `foreign-${Math.floor(roll() * 1e6)}`;
    foreign.set(name, name);
    // The look of ours, without our mark.
    const labels = { 'app.kubernetes.io/instance': scene.name };
    await scene.createObject(configMap(name, { key: name }, { labels }));
  },
  sync: ({ scene }) => scene.request({ prune: true }),
  refresh: ({ scene }) => scene.patchApplication(annotatedRefresh('hard')),
  kill: async (_, play) => {
    await play.world.controller.stop('SIGKILL');
    start(play, play.roll() < 0.5);
  },
  restart: async (_, play) => {
    await play.world.controller.stop();
    start(play, play.roll() < 0.5);
  },
};

function start({ world, poll }: Play, isRare: boolean): void {
  poll.isRare = isRare;
  world.controller.start(isRare ? '1h' : undefined);
}

const annotatedRefresh = (kind: 'normal' | 'hard'): object => ({
  metadata: { annotations: { 'argocd.argoproj.io/refresh': kind } },
});

const likely = [
  'change',
  'change',
  'change',
  'remove',
  'edit',
  'lose',
  'strange',
  'sync',
  'refresh',
  'kill',
  'restart',
];

async function setUp(scene: Scene): Promise<Subject> {
  const jobs = await scene.record('Job');
  await scene.createAutomated({
    automated: { prune: true, selfHeal: true },
    retry: { limit: 5, backoff: { duration: '1s' } },
  });
  return { scene, wanted: new Map([['map-0', 'first']]), foreign: new Map(), jobs };
}

const files = {
  [fileOf('map-0')]: configMap('map-0', { key: 'first' }),
  'app/hook.yaml': job('before', { hook: 'PreSync', duration: '300ms', deletePolicy: 'BeforeHookCreation' }),
  'app/page.yaml': deployment('page', { wave: 1 }),
};

async function liveMaps({ namespace, world }: Scene): Promise<Map<string, string>> {
  const resource = await world.cluster.client.resourceFor({ group: '', version: 'v1', kind: 'ConfigMap' });
  const { items } = await world.cluster.client.list(resource, { namespace });
  const ours = items.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
  return new Map(ours.map((object) => [object.metadata.name ?? '', String(at(object, 'data', 'key'))]));
}

const sorted = (map: ReadonlyMap<string, string>): [string, string][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Whatever happened: each application comes to rest in what Git says, and nothing else was touched. */
async function atRest({ scene, wanted, foreign, jobs }: Subject, { poll }: Play): Promise<void> {
  // A new revision: what was healed too often waits no longer.
  const revision = await scene.repository.commit({ 'app/end.yaml': configMap('end', { key: 'end' }) });
  if (poll.isRare) await scene.patchApplication(annotatedRefresh('normal'));
  await scene.untilSettled(revision, { timeoutMs: 180_000 });
  assert.deepEqual(sorted(await liveMaps(scene)), sorted(new Map([...wanted, ...foreign, ['end', 'end']])));
  const attempts = jobs.events
    .filter(({ type }) => type === 'created')
    .map(({ object }) => annotationOf(object, attemptMark));
  assert.equal(new Set(attempts).size, attempts.length, `a hook ran twice for one attempt: ${attempts.join()}`);
}

/** Random commits, edits, operations and deaths of the controller, from a seed. */
export function soakSuite(world: World): void {
  test(`REC-16 whatever happens, what Git says comes to be and nothing else goes (seed ${seed}, ${steps} steps)`, async (t) => {
    const roll = dice(seed);
    const scenes = await Promise.all(Array.from({ length: applications }, () => world.scene(t, files)));
    const subjects = await Promise.all(scenes.map(setUp));
    const play: Play = { world, subjects, roll, poll: { isRare: false } };
    const happened: string[] = [];
    for (let step = 0; step < steps; step += 1) {
      const what = pick(likely, roll);
      happened.push(what);
      await happenings[what]?.(pick(subjects, roll), play);
      await sleep(roll() * 700);
    }
    t.diagnostic(happened.join(' '));
    await Promise.all(subjects.map((subject) => atRest(subject, play)));
    world.controller.assertUnhurried();
  });
}
