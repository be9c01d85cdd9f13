/**
 * A render whose inputs have not changed: what a comparison costs before anything is compared. And first renders of many
 * applications: `--plain=N` folders and `--helm=N` charts, with the CPU time of this process and of all that it started.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@tiphys/api';
import {
  gitDefaults,
  type GitStore,
  openGitStore,
  openRenderer,
  renderDefaults,
  type Renderer,
  type RenderRequest,
} from '@tiphys/engine';
import { numberFlag } from './flags.ts';
import { type BenchApplication, benchApplications, Monorepo } from './input/monorepo.ts';
import { type ShapeName, shapes } from './input/shapes.ts';
import { difference, helmRun, median, print, readUsage, type Yardstick } from './measure.ts';

const rounds = numberFlag('rounds', 200);
/** First renders at once: as many as a controller has workers. */
const concurrency = 10;
const tools = join(import.meta.dirname, '..', '.cache', 'tools');

const directory = await mkdtemp(join(tmpdir(), 'tiphys-bench-render-'));
const ports = { clock: systemClock, log: silentLogger };
try {
  const yardstick = await helmRun();
  await cachedRenders(yardstick);
  await firstRenders('plain', numberFlag('plain', 200), yardstick);
  await firstRenders('helm', numberFlag('helm', 20), yardstick);
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

type Opened = AsyncDisposable & Readonly<{ git: GitStore; renderer: Renderer }>;

async function open(name: string): Promise<Opened> {
  const git = openGitStore(ports, { ...gitDefaults, dataDir: join(directory, name, 'git') });
  const renderer = await openRenderer(
    {
      ...ports,
      git,
      tools: {
        helm: join(tools, 'helm'),
        kustomize: { command: join(tools, 'kubectl'), args: ['kustomize'] },
        versions: 'bench',
      },
    },
    { workDir: join(directory, name, 'render') },
  );
  const close = async (): Promise<void> => {
    await renderer.close();
    await git.close();
  };
  return { git, renderer, [Symbol.asyncDispose]: close };
}

async function cachedRenders(yardstick: Yardstick): Promise<void> {
  const applications = benchApplications(8, 'mixed');
  await using repository = await Monorepo.create(applications);
  await using opened = await open('cached');
  const { renderer } = opened;
  for (const shape of ['helm', 'kustomize', 'multi-source', 'plain'] as const satisfies readonly ShapeName[]) {
    const application = applications.find((candidate) => candidate.shape === shape);
    if (application === undefined) throw new Error(`the input has no ${shape}`);
    const request = await requestFor(application, repository, opened.git);
    const cold = await time(() => renderer.render(request, AbortSignal.timeout(60_000)));
    const cached = median(await timesOf(renderer, request));
    print({ claim: `first render, ${shape}`, value: cold, unit: 'ms', yardstick });
    print({ claim: `cached render, ${shape}`, value: cached, unit: 'ms', yardstick, atMost: 1 });
  }
}

async function firstRenders(shape: ShapeName, count: number, yardstick: Yardstick): Promise<void> {
  const applications = benchApplications(count * shapesPerApplication(shape), shape === 'plain' ? 'plain' : 'mixed')
    .filter((application) => application.shape === shape)
    .slice(0, count);
  await using repository = await Monorepo.create(applications);
  const before = readUsage(process.pid);
  const started = performance.now();
  let objects = 0;
  {
    await using opened = await open(`first-${shape}`);
    const waiting = [...applications];
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const request = await requestFor(next, repository, opened.git);
        const rendered = await opened.renderer.render(request, AbortSignal.timeout(600_000));
        objects += rendered.objects.length;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  }
  const seconds = (performance.now() - started) / 1000;
  const used = difference(before, readUsage(process.pid));
  const claim = `first render of ${applications.length} ${shape} applications (${objects} objects)`;
  print({ claim, value: seconds, unit: 's', yardstick });
  print({ claim: `${claim}, CPU of this process`, value: used.cpuMs / 1000, unit: 's', yardstick });
  print({ claim: `${claim}, CPU of its children`, value: used.childrenCpuMs / 1000, unit: 's', yardstick });
}

/** In the mixed input every second application is a chart. */
function shapesPerApplication(shape: ShapeName): number {
  return shape === 'plain' ? 1 : 2;
}

async function requestFor(
  { name, shape, namespace }: BenchApplication,
  repository: Monorepo,
  git: GitStore,
): Promise<RenderRequest> {
  const repo = { url: repository.url };
  const question = { revision: 'main', freshness: 'cached' as const };
  const { commit } = await git.resolve(repo, question, AbortSignal.timeout(60_000));
  return {
    application: { name, namespace: 'argocd', project: 'default' },
    instance: name,
    sources: shapes[shape].sources(name, repository.url).map((source) => ({ source, repo, commit })),
    destinationNamespace: namespace,
    kubeVersion: '1.35',
    apiVersions: ['v1', 'apps/v1'],
    settings: renderDefaults,
  };
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function timesOf(from: Renderer, request: RenderRequest): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(
      await time(async () => {
        const { cached } = await from.render(request, AbortSignal.timeout(60_000));
        if (!cached) throw new Error('a render of unchanged input was not answered from the cache');
      }),
    );
  }
  return times;
}
