import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import {
  type ApplicationSource,
  chartOf,
  type ErrorCode,
  type KubeObject,
  silentLogger,
  stringifyYaml,
  systemClock,
} from '@tiphys/api';
import { type GitStore, openGitStore } from '../git/read/git-store.ts';
import { type IsolationSettings, openSandbox } from './sandbox/open-sandbox.ts';
import { openRenderer, type Renderer } from './renderer.ts';
import { rendererDefaults, type RendererSettings } from './renderer-settings.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import { renderDefaults, type Rendered, type RenderError, type RenderRequest, type RenderSettings } from './types.ts';

const tools = join(import.meta.dirname, '../../../../.cache/tools');
export const helm = join(tools, 'helm');
export const kubectl = join(tools, 'kubectl');

/** Why tests that need the tools are left out; false when the tools are there. */
export const withoutTools =
  existsSync(helm) && existsSync(kubectl) ? false : 'helm and kubectl are not in .cache/tools: npm test fetches them';

/** The place of a program of the system. */
export const pathOf = (name: string): string =>
  rendererDefaults.path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file)) ?? `/no/${name}`;

/** A Git repository in a temporary folder. */
export type Origin = Readonly<{
  url: string;
  git: (...args: string[]) => string;
  /** Writes files (`-> target` makes a link, undefined deletes) and commits them; the new commit. */
  commit: (files?: Readonly<Record<string, string | undefined>>) => string;
}>;

/** What is asked for besides the source. */
export type Ask = Partial<Omit<RenderRequest, 'settings' | 'sources'>> & {
  settings?: Partial<RenderSettings>;
  commit?: string;
};

/** Repositories, a store and a renderer of their own, gone at the end. */
export class Workbench {
  readonly root = mkdtempSync(join(tmpdir(), 'tiphys-render-'));
  readonly signal = AbortSignal.timeout(300_000);
  readonly git: GitStore = openGitStore(
    { clock: systemClock, log: silentLogger },
    { dataDir: join(this.root, 'data') },
  );
  readonly #renderers: Renderer[] = [];
  #count = 0;

  origin(files: Readonly<Record<string, string>>): Origin {
    const folder = join(this.root, `origin-${(this.#count += 1)}`);
    mkdirSync(folder);
    const git = (...args: string[]): string =>
      execFileSync(
        'git',
        ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'gc.auto=0', ...args],
        {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ).trim();
    git('init', '-q', '-b', 'main');
    const commit: Origin['commit'] = (more = {}) => {
      for (const [path, text] of Object.entries(more)) {
        rmSync(join(folder, path), { force: true, recursive: true });
        if (text === undefined) continue;
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(folder, path));
        else writeFileSync(join(folder, path), text);
      }
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', 'change');
      return git('rev-parse', 'HEAD');
    };
    commit(files);
    return { url: folder, git, commit };
  }

  async renderer(settings: Partial<RendererSettings> = {}): Promise<Renderer> {
    const ports = {
      git: this.git,
      tools: { helm, kustomize: { command: kubectl, args: ['kustomize'] }, versions: 'test' },
      clock: systemClock,
      log: silentLogger,
    };
    const workDir = join(this.root, `work-${(this.#count += 1)}`);
    const renderer = await openRenderer(ports, { workDir, ...settings });
    this.#renderers.push(renderer);
    return renderer;
  }

  /** A PATH with these programs alone: with it a host allows less. */
  pathWith(...programs: readonly string[]): string {
    const folder = mkdtempSync(join(this.root, 'path-'));
    for (const name of programs) symlinkSync(pathOf(name), join(folder, name));
    return folder;
  }

  /** What keeps tools apart where nothing is needed of the start. */
  sandbox(settings: Partial<IsolationSettings> = {}): Promise<Sandbox> {
    const rootDir = join(this.root, `root-${(this.#count += 1)}`);
    const none = { programs: [], needed: [], certificates: [] };
    return openSandbox({ ...rendererDefaults, rootDir, ...none, ...settings }, this.signal);
  }

  /** A request at the newest commit of each source. */
  async request(sources: ApplicationSource | readonly ApplicationSource[], ask: Ask = {}): Promise<RenderRequest> {
    const { settings, commit, ...rest } = ask;
    const list: readonly ApplicationSource[] = Array.isArray(sources) ? sources : [sources as ApplicationSource];
    const resolved = list.map(async (source) => {
      const repo = { url: source.repoURL };
      if (chartOf(source) !== undefined) return { source, repo, commit: source.targetRevision ?? '' };
      const question = { revision: commit ?? source.targetRevision ?? 'HEAD', freshness: 'latest' as const };
      return { source, repo, commit: (await this.git.resolve(repo, question, this.signal)).commit };
    });
    return {
      application: { name: 'shop', namespace: 'argocd', project: 'default' },
      instance: 'shop',
      destinationNamespace: 'prod',
      kubeVersion: '1.35.0',
      apiVersions: ['v1', 'apps/v1'],
      settings: { ...renderDefaults, ...settings },
      ...rest,
      sources: await Promise.all(resolved),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#renderers.map((renderer) => renderer.close()));
    await this.git.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** `Kind name` of what was rendered. */
export const names = ({ objects }: Pick<Rendered, 'objects'>): readonly string[] =>
  objects.map((object) => `${object.kind} ${object.metadata.name ?? ''}`);

/** What was rendered as one text, for comparing byte for byte. */
export const asText = ({ objects }: Pick<Rendered, 'objects'>): string =>
  objects.map((object) => stringifyYaml(object)).join('---\n');

/** A ConfigMap as a file. */
export const configMap = (name: string, data: Readonly<Record<string, string>> = { key: 'value' }): string =>
  stringifyYaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

/** Settings with `kustomize.buildOptions`. */
export const buildOptions = (text: string): Pick<RenderSettings, 'kustomize'> => ({
  kustomize: { ...renderDefaults.kustomize, buildOptions: text.split(/\s+/) },
});

/** That something fails with a code, naming these words. */
export async function fails(
  work: Promise<unknown>,
  code: ErrorCode,
  ...words: readonly string[]
): Promise<RenderError> {
  const error = await work.then(
    () => assert.fail(`expected ${code}`),
    (thrown: unknown) => thrown as RenderError,
  );
  assert.equal(error.code, code, error.message);
  for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" names ${word}`);
  return error;
}

/** The object of that name. */
export const find = (objects: readonly KubeObject[], name: string): KubeObject => {
  const found = objects.find(({ metadata }) => metadata.name === name);
  assert.ok(found !== undefined, `there is a ${name}`);
  return found;
};
