import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stringifyYaml } from '@tiphys/api';
import { run } from './tools.ts';

/** Text or bytes of a file, or the objects that a YAML file holds. */
export type FileContent = string | Uint8Array | object | readonly object[];
export type Files = Readonly<Record<string, FileContent>>;

const environment = {
  PATH: process.env['PATH'],
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'conformance',
  GIT_AUTHOR_EMAIL: 'conformance@example.com',
  GIT_COMMITTER_NAME: 'conformance',
  GIT_COMMITTER_EMAIL: 'conformance@example.com',
};

const contentOf = (content: FileContent): string | Uint8Array => {
  if (typeof content === 'string' || content instanceof Uint8Array) return content;
  return [content]
    .flat()
    .map((object) => stringifyYaml(object))
    .join('---\n');
};

/** A Git repository in a temporary folder, with a working tree that people would edit. */
export class Repository implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(files: Files = {}): Promise<Repository> {
    const repository = new Repository(join(await mkdtemp(join(tmpdir(), 'tiphys-conformance-git-')), 'repository'));
    await mkdir(repository.directory);
    await repository.git('init', '--quiet', '--initial-branch=main');
    await repository.commit(files);
    return repository;
  }

  get url(): string {
    return pathToFileURL(this.directory).href;
  }

  async git(...args: string[]): Promise<string> {
    return (await run('git', args, { cwd: this.directory, env: environment })).trim();
  }

  /** Writes and removes files, commits everything that has changed, and returns the new commit's SHA. */
  async commit(files: Files = {}, removed: readonly string[] = []): Promise<string> {
    for (const path of removed) await rm(join(this.directory, path), { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.directory, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, contentOf(content));
    }
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '--message', 'change');
    return this.git('rev-parse', 'HEAD');
  }

  /** Removes files or folders and commits that. */
  remove(...paths: string[]): Promise<string> {
    return this.commit({}, paths);
  }

  /** Takes over a folder as it is, and commits it. */
  async import(folder: string): Promise<string> {
    await cp(folder, this.directory, { recursive: true });
    return this.commit();
  }

  async link(target: string, path: string): Promise<string> {
    await mkdir(dirname(join(this.directory, path)), { recursive: true });
    await symlink(target, join(this.directory, path));
    return this.commit();
  }

  /** Out of reach, until `comeBack`. */
  async goAway(): Promise<void> {
    await rename(this.directory, `${this.directory}.away`);
  }

  async comeBack(): Promise<void> {
    await rename(`${this.directory}.away`, this.directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(dirname(this.directory), { recursive: true, force: true, maxRetries: 3 });
  }
}
