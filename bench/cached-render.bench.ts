/** A render whose inputs have not changed: what a comparison costs before anything is compared. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@tiphys/api';
import {
  gitDefaults,
  openGitStore,
  openRenderer,
  renderDefaults,
  type Renderer,
  type RenderRequest,
} from '@tiphys/engine';
import { numberFlag } from './flags.ts';
import { type BenchApplication, benchApplications, Monorepo } from './input/monorepo.ts';
import { type ShapeName, shapes } from './input/shapes.ts';
import { helmRun, median, print } from './measure.ts';

const rounds = numberFlag('rounds', 200);
const tools = join(import.meta.dirname, '..', '.cache', 'tools');
const applications = benchApplications(8, 'mixed');

const directory = await mkdtemp(join(tmpdir(), 'tiphys-bench-render-'));
await using repository = await Monorepo.create(applications);
const ports = { clock: systemClock, log: silentLogger };
const git = openGitStore(ports, { ...gitDefaults, dataDir: join(directory, 'git') });
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
  { workDir: join(directory, 'render') },
);
try {
  const yardstick = await helmRun();
  for (const shape of ['helm', 'kustomize', 'multi-source', 'plain'] as const satisfies readonly ShapeName[]) {
    const application = applications.find((candidate) => candidate.shape === shape);
    if (application === undefined) throw new Error(`the input has no ${shape}`);
    const request = await requestFor(application);
    const cold = await time(() => renderer.render(request, AbortSignal.timeout(60_000)));
    const cached = median(await timesOf(renderer, request));
    print({ claim: `first render, ${shape}`, value: cold, unit: 'ms', yardstick });
    print({ claim: `cached render, ${shape}`, value: cached, unit: 'ms', yardstick, atMost: 1 });
  }
} finally {
  await renderer.close();
  await git.close();
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

async function requestFor({ name, shape, namespace }: BenchApplication): Promise<RenderRequest> {
  const repo = { url: repository.url };
  const question = { revision: 'main', freshness: 'latest' as const };
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
