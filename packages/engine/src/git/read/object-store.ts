import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  CodedError,
  describeRepository,
  type Logger,
  parseRepositoryUrl,
  type RepositoryAddress,
} from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import { gitError } from './git-error.ts';
import {
  localEnvironment,
  remoteEnvironment,
  type StorePaths,
  storePaths,
  writeStoreFiles,
} from './git-environment.ts';
import type { GitSettings } from './git-settings.ts';
import { localFingerprint } from './local-refs.ts';
import { type GitObject, ObjectReader } from './object-reader.ts';
import { parseRefs } from './refs.ts';
import { type ReadRefs, RemoteRefs } from './remote-refs.ts';
import { type RepositoryAccess, scopeOf } from './repository-access.ts';
import { type ProcessOutcome, runProcess } from './run-process.ts';

const maxAnswerBytes = 64 * 1024 * 1024;
const sizeCheckMs = 250;
/** Small fetches leave loose objects and small packs behind; after so many of them git is asked whether to join them. */
const fetchesPerTidying = 50;

/** Bytes of the files in a store's pack folder, where a fetch writes. */
async function packBytes(objects: string): Promise<number> {
  const folder = join(objects, 'objects', 'pack');
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What was left over by a program that was killed: nobody else uses the store, so no lock in it is held. */
async function removeLocks(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const left = entries.filter(
    ({ name, parentPath }) => name.endsWith('.lock') || (name.startsWith('tmp_') && parentPath.includes('objects')),
  );
  await Promise.all(left.map(({ name, parentPath }) => rm(join(parentPath, name), { force: true, recursive: true })));
}

/**
 * The objects of one repository in a bare store of their own, with the remote they come from. Questions to the remote are asked
 * once for all who wait for the answer; each has its own deadline, which no caller's abort shortens for the others.
 */
export class ObjectStore {
  readonly name: string;
  /**
   * What the remote has. A local repository whose refs did not change is not asked.
   * @throws CodedError git/authentication, git/unreachable, git/timeout
   */
  readonly refs: RemoteRefs;
  readonly #access: RepositoryAccess;
  readonly #address: RepositoryAddress;
  readonly #paths: StorePaths;
  readonly #settings: GitSettings;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #reader: ObjectReader;
  readonly #commits = new LRUCache<string, string>({ max: 10_000 });
  #opened: Promise<void> | undefined;
  #fetching: Promise<void> | undefined;
  #fetches = 0;

  /** @throws CodedError git/url-invalid */
  constructor(
    access: RepositoryAccess,
    settings: GitSettings,
    { clock, log }: Readonly<{ clock: Clock; log: Logger }>,
  ) {
    this.name = describeRepository(access.url);
    this.refs = new RemoteRefs((last) => this.#list(last), settings, clock);
    this.#access = access;
    this.#address = parseRepositoryUrl(access.url);
    this.#settings = settings;
    this.#log = log;
    const { scheme, directory } = this.#address;
    if (!settings.schemes.includes(scheme))
      throw new CodedError('git/url-invalid', `${this.name}: ${scheme} repositories are not allowed here`);
    // The stores hold what other projects fetched with their own credentials.
    if (directory !== undefined && `${directory}/`.startsWith(`${settings.dataDir}/`))
      throw new CodedError('git/url-invalid', `${this.name}: not a repository`);
    this.#paths = storePaths(settings.dataDir, scopeOf(access));
    this.#reader = new ObjectReader({
      command: settings.command,
      env: localEnvironment(settings, this.#paths),
      objects: this.#paths.objects,
      name: this.name,
      maxObjectBytes: settings.maxBlobBytes,
      idleMs: settings.idleMs,
      requestTimeoutMs: settings.requestTimeoutMs,
    });
  }

  async #list(last: ReadRefs | undefined): Promise<ReadRefs> {
    const { directory, url } = this.#address;
    const fingerprint = directory === undefined ? undefined : await localFingerprint(directory);
    if (last !== undefined && fingerprint !== undefined && fingerprint === last.fingerprint) return last;
    await this.#open();
    const args = ['ls-remote', '--symref', '--', url];
    const stdout = await this.#ask(args, { what: 'listing refs', timeoutMs: this.#settings.requestTimeoutMs });
    return { refs: parseRefs(stdout.toString('utf8')), fingerprint };
  }

  /** The commit that an object id stands for (an annotated tag's is followed); undefined when it is not here. */
  async commit(oid: string): Promise<string | undefined> {
    const known = this.#commits.get(oid);
    if (known !== undefined) return known;
    const found = await this.read(`${oid}^{commit}`);
    if (found !== undefined) this.#commits.set(oid, found.oid);
    return found?.oid;
  }

  /**
   * Brings all branches and tags, and one more object when it is named; one fetch at a time.
   * @throws CodedError as lsRemote, and git/too-large, git/hostile-repository
   */
  async fetch(extra?: string): Promise<void> {
    while (this.#fetching !== undefined && extra !== undefined) await this.#fetching.catch(() => {});
    this.#fetching ??= this.#fetch(extra).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(extra: string | undefined): Promise<void> {
    await this.#open();
    const started = performance.now();
    const all = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
    const flags = [
      '--no-write-fetch-head',
      '--no-auto-gc',
      '--no-tags',
      '--force',
      '--quiet',
      '--no-recurse-submodules',
    ];
    const what = extra === undefined ? ['--prune', '--', this.#address.url, ...all] : ['--', this.#address.url, extra];
    const limit = this.#settings.maxRepositoryBytes;
    const tooLarge = new AbortController();
    const check = setInterval(() => {
      void packBytes(this.#paths.objects).then((bytes) => bytes > limit && tooLarge.abort());
    }, sizeCheckMs);
    check.unref();
    try {
      const options = { what: 'fetching', timeoutMs: this.#settings.fetchTimeoutMs, stop: tooLarge.signal };
      await this.#ask(['fetch', ...flags, ...what], options);
      if ((await packBytes(this.#paths.objects)) > limit) tooLarge.abort();
    } catch (error) {
      if (!tooLarge.signal.aborted) throw error;
    } finally {
      clearInterval(check);
    }
    if (tooLarge.signal.aborted) {
      await this.#empty();
      throw new CodedError('git/too-large', `${this.name}: the repository is larger than ${limit} bytes`);
    }
    this.#fetches += 1;
    if (this.#fetches % fetchesPerTidying === 0) await this.#tidy();
    this.#log.debug('fetched', { repository: this.name, durationMs: Math.round(performance.now() - started) });
  }

  /** An object; undefined when it is not here. */
  async read(name: string): Promise<GitObject | undefined> {
    await this.#open();
    return this.#reader.read(name);
  }

  /** Runs a git command on the local store alone. */
  async local(args: readonly string[], signal: AbortSignal): Promise<ProcessOutcome> {
    await this.#open();
    return runProcess(
      {
        command: this.#settings.command,
        args: [`--git-dir=${this.#paths.objects}`, ...args],
        env: localEnvironment(this.#settings, this.#paths),
        maxOutputBytes: maxAnswerBytes,
        timeoutMs: this.#settings.requestTimeoutMs,
      },
      AbortSignal.any([signal, this.#closing.signal]),
    );
  }

  /** A failure of `local` as an error. */
  failed(outcome: Exclude<ProcessOutcome, { kind: 'exit'; code: 0 }>, what: string): CodedError {
    return gitError(outcome, this.#access, what);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#reader.close();
    await Promise.allSettled([this.#opened, this.refs.settled(), this.#fetching]);
  }

  /** Joins packs when there are many. What no ref leads to stays for two weeks: somebody may be rendering it. */
  async #tidy(): Promise<void> {
    const configuration = ['gc.auto=2000', 'gc.autoPackLimit=20', 'gc.autoDetach=false', 'gc.pruneExpire=2.weeks.ago'];
    const outcome = await runProcess(
      {
        command: this.#settings.command,
        args: [
          `--git-dir=${this.#paths.objects}`,
          ...configuration.flatMap((setting) => ['-c', setting]),
          'gc',
          '--auto',
          '--quiet',
        ],
        env: localEnvironment(this.#settings, this.#paths),
        maxOutputBytes: maxAnswerBytes,
        timeoutMs: this.#settings.fetchTimeoutMs,
      },
      this.#closing.signal,
    );
    if (outcome.kind !== 'exit' || outcome.code !== 0)
      this.#log.warn('a repository could not be tidied', { repository: this.name, outcome: outcome.kind });
  }

  /** Throws away what was fetched. */
  async #empty(): Promise<void> {
    this.#opened = undefined;
    this.#commits.clear();
    this.#reader.close();
    await rm(this.#paths.objects, { recursive: true, force: true });
  }

  #open(): Promise<void> {
    this.#opened ??= this.#create().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #create(): Promise<void> {
    const { root, objects } = this.#paths;
    await mkdir(root, { recursive: true, mode: 0o700 });
    await writeStoreFiles(this.#access, this.#address, this.#paths);
    const exists = await stat(join(objects, 'HEAD')).then(
      () => true,
      () => false,
    );
    if (exists) return removeLocks(objects);
    const outcome = await runProcess(
      {
        command: this.#settings.command,
        args: ['init', '--quiet', '--bare', '--template=', '--', objects],
        env: localEnvironment(this.#settings, this.#paths),
        maxOutputBytes: maxAnswerBytes,
        timeoutMs: this.#settings.requestTimeoutMs,
      },
      this.#closing.signal,
    );
    if (outcome.kind !== 'exit' || outcome.code !== 0) throw gitError(outcome, this.#access, 'making a store');
  }

  /** Runs a git command that talks to the remote. */
  async #ask(
    args: readonly string[],
    options: { what: string; timeoutMs: number; stop?: AbortSignal },
  ): Promise<Buffer> {
    const repository = { access: this.#access, address: this.#address };
    const { env, dispose } = await remoteEnvironment(this.#settings, this.#paths, repository);
    try {
      const outcome = await runProcess(
        {
          command: this.#settings.command,
          args: [`--git-dir=${this.#paths.objects}`, ...args],
          env,
          maxOutputBytes: maxAnswerBytes,
          timeoutMs: options.timeoutMs,
        },
        AbortSignal.any([this.#closing.signal, ...(options.stop === undefined ? [] : [options.stop])]),
      );
      if (outcome.kind === 'exit' && outcome.code === 0) return outcome.stdout;
      throw gitError(outcome, this.#access, options.what);
    } finally {
      await dispose();
    }
  }
}
