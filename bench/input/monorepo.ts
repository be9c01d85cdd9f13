/** The input of the benches: a monorepo in a temporary folder, as a real Git repository, and the Applications on it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { KubeObject } from '@tiphys/api';
import { baseFiles, baseSize, type Files, type ShapeName, shapes } from './shapes.ts';

/**
 * `mixed`: of eight applications four are Helm charts with values, two Kustomize overlays over a base that 40 share, one has its
 * values in another source (`$values`), one is plain. `plain`: all have five ConfigMaps each.
 */
export type Mix = 'mixed' | 'plain';

const pattern: Readonly<Record<Mix, readonly ShapeName[]>> = {
  mixed: ['helm', 'kustomize', 'helm', 'multi-source', 'helm', 'kustomize', 'helm', 'plain'],
  plain: ['plain'],
};

export type BenchApplication = Readonly<{
  name: string;
  shape: ShapeName;
  /** Its place among the applications of its shape: 40 in a row share a base. */
  shapeIndex: number;
  /** Where its objects go. */
  namespace: string;
}>;

/** Objects are spread over this many namespaces, as they are in clusters. */
const namespaceCount = 20;

export const namespaces: readonly string[] = Array.from({ length: namespaceCount }, (_, index) => `bench-${index}`);

/** The first `count` applications of a mix. The n-th is the same whatever the count. */
export function benchApplications(count: number, mix: Mix): readonly BenchApplication[] {
  const counts = new Map<ShapeName, number>();
  return Array.from({ length: count }, (_, index) => {
    const shape = pattern[mix][index % pattern[mix].length] ?? 'plain';
    const shapeIndex = counts.get(shape) ?? 0;
    counts.set(shape, shapeIndex + 1);
    const name = `app-${String(index).padStart(4, '0')}`;
    return { name, shape, shapeIndex, namespace: namespaces[index % namespaceCount] ?? 'bench-0' };
  });
}

export type Destination = Readonly<{ repoURL: string; controlNamespace: string }>;

/** An Application that syncs, prunes and heals by itself. */
export function applicationObject(
  { name, shape, namespace }: BenchApplication,
  { repoURL, controlNamespace }: Destination,
): KubeObject {
  const sources = shapes[shape].sources(name, repoURL);
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: controlNamespace },
    spec: {
      project: 'default',
      ...(sources.length === 1 ? { source: sources[0] } : { sources }),
      destination: { server: 'https://kubernetes.default.svc', namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}

const run = promisify(execFile);

const gitEnvironment = {
  PATH: process.env['PATH'],
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'bench',
  GIT_AUTHOR_EMAIL: 'bench@example.com',
  GIT_COMMITTER_NAME: 'bench',
  GIT_COMMITTER_EMAIL: 'bench@example.com',
};

/** A repository with the files of some applications. Gone when disposed. */
export class Monorepo implements AsyncDisposable {
  readonly directory: string;
  #version = 1;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(applications: readonly BenchApplication[]): Promise<Monorepo> {
    const repository = new Monorepo(await mkdtemp(join(tmpdir(), 'tiphys-bench-git-')));
    await repository.#git('init', '--quiet', '--initial-branch=main');
    for (const { name, shape, shapeIndex } of applications) {
      await repository.#write(shapes[shape].files(name, shapeIndex));
      await repository.#write(shapes[shape].own(name, 1));
    }
    const overlays = applications.filter(({ shape }) => shape === 'kustomize').length;
    for (let group = 0; group * baseSize < overlays; group += 1) await repository.#write(baseFiles(group, 1));
    await repository.#git('add', '--all');
    await repository.#git('commit', '--quiet', '--message', 'all applications');
    return repository;
  }

  get url(): string {
    return pathToFileURL(this.directory).href;
  }

  /** Commits a change to the one file that is an application's own; returns the commit. */
  touch({ name, shape }: BenchApplication): Promise<string> {
    this.#version += 1;
    return this.#commit(shapes[shape].own(name, this.#version));
  }

  /** Commits a change to a shared base; returns the commit. */
  touchBase(group: number): Promise<string> {
    this.#version += 1;
    return this.#commit(baseFiles(group, this.#version));
  }

  async #commit(files: Files): Promise<string> {
    await this.#write(files);
    await this.#git('add', '--', ...Object.keys(files));
    await this.#git('commit', '--quiet', '--message', `version ${this.#version}`);
    return (await this.#git('rev-parse', 'HEAD')).trim();
  }

  async #write(files: Files): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.directory, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }

  async #git(...args: string[]): Promise<string> {
    const options = { cwd: this.directory, env: gitEnvironment, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 };
    return (await run('git', args, options)).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
