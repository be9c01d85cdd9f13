import { resolve as absolute } from 'node:path';
import { CodedError, type Clock, isCoded, type Logger, within } from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import { type CommitMetadata, parseCommit } from './commit-metadata.ts';
import { gitDefaults, type GitSettings } from './git-settings.ts';
import { materialise, type Selection } from './materialise.ts';
import { ObjectStore } from './object-store.ts';
import { type NamedCommit, type Refs, resolveInRefs, tagsOf } from './refs.ts';
import { type RepositoryAccess, scopeOf } from './repository-access.ts';
import { parseTree, Tree, type TreeEntry } from './tree.ts';

/** A revision to resolve. `latest` asks the remote; `cached` is content with what was heard of it a while ago (`refsMs`, `failureMs`). */
export type RevisionQuestion = Readonly<{
  /** Branch, tag, short or full SHA, `HEAD` (also ''), full ref name, or a version range over tags. */
  revision: string;
  freshness: 'cached' | 'latest';
  /** A range looks only at tags that begin with it. */
  tagPrefix?: string | undefined;
}>;

/** What a revision stands for; `ref` is missing for a SHA. The commit is in the store. */
export type ResolvedRevision = NamedCommit;

/**
 * Git repositories, read: one bare store and one fetch per repository and set of credentials, whoever asks. All functions fail
 * with a `git/*` error that names the repository, or with the signal's reason.
 */
export interface GitStore {
  /** The refs of the remote: one question for all callers in flight; a local repository is asked only when its refs changed. */
  lsRemote(repo: RepositoryAccess, signal: AbortSignal): Promise<Refs>;
  /** @throws CodedError git/revision-not-found naming the revision */
  resolve(repo: RepositoryAccess, question: RevisionQuestion, signal: AbortSignal): Promise<ResolvedRevision>;
  /** The files of a commit. @param commit full SHA, as `resolve` answers it */
  commitTree(repo: RepositoryAccess, commit: string, signal: AbortSignal): Promise<Tree>;
  /** Writes files of a commit into an empty folder; see materialise.ts. */
  materialise(selection: Selection, folder: string): Promise<void>;
  /** Paths of files that differ between two commits; for a rename, both. */
  changedPaths(
    repo: RepositoryAccess,
    range: Readonly<{ from: string; to: string }>,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  metadata(repo: RepositoryAccess, commit: string, signal: AbortSignal): Promise<CommitMetadata>;
  close(): Promise<void>;
}

const shortSha = /^[0-9a-f]{7,39}$/i;
const fullSha = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
const maxCachedBlobBytes = 1024 * 1024;

class Store implements GitStore {
  readonly #settings: GitSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stores = new Map<string, ObjectStore>();
  readonly #listings: LRUCache<string, ReadonlyMap<string, TreeEntry>>;
  readonly #blobs: LRUCache<string, Buffer>;
  readonly #trees = new LRUCache<string, Tree>({ max: 2000 });

  constructor(ports: Readonly<{ clock: Clock; log: Logger }>, settings: GitSettings) {
    this.#settings = settings;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#listings = new LRUCache({
      maxSize: settings.treeCacheEntries,
      sizeCalculation: (listing) => listing.size + 1,
    });
    this.#blobs = new LRUCache({ maxSize: settings.blobCacheBytes, sizeCalculation: (blob) => blob.length + 100 });
  }

  async lsRemote(repo: RepositoryAccess, signal: AbortSignal): Promise<Refs> {
    return within(this.#store(repo).refs.ask('latest'), signal);
  }

  async resolve(repo: RepositoryAccess, question: RevisionQuestion, signal: AbortSignal): Promise<ResolvedRevision> {
    return within(this.#resolve(this.#store(repo), question, signal), signal);
  }

  async commitTree(repo: RepositoryAccess, commit: string, signal: AbortSignal): Promise<Tree> {
    const scope = scopeOf(repo);
    const known = this.#trees.get(`${scope} ${commit}`);
    if (known !== undefined) return known;
    const store = this.#store(repo);
    await within(this.#present(store, commit), signal);
    const root = await within(store.read(`${commit}^{tree}`), signal);
    if (root === undefined) throw notFound(store, commit);
    const tree = new Tree(
      { repository: store.name, commit, rootOid: root.oid },
      {
        listing: (oid) => this.#listing(store, scope, oid),
        blob: (oid) => this.#blob(store, scope, oid),
        maxEntries: this.#settings.maxTreeEntries,
      },
    );
    this.#trees.set(`${scope} ${commit}`, tree);
    return tree;
  }

  materialise(selection: Selection, folder: string): Promise<void> {
    return materialise(selection, folder, this.#settings);
  }

  async changedPaths(
    repo: RepositoryAccess,
    range: { from: string; to: string },
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (range.from === range.to) return [];
    const store = this.#store(repo);
    for (const commit of [range.from, range.to]) await within(this.#present(store, commit), signal);
    const args = ['diff-tree', '-r', '-z', '--no-renames', '--no-commit-id', '--name-only', '--end-of-options'];
    const outcome = await store.local([...args, range.from, range.to, '--'], signal);
    if (outcome.kind !== 'exit' || outcome.code !== 0) throw store.failed(outcome, 'comparing commits');
    return outcome.stdout
      .toString('utf8')
      .split('\0')
      .filter((path) => path !== '');
  }

  async metadata(repo: RepositoryAccess, commit: string, signal: AbortSignal): Promise<CommitMetadata> {
    const store = this.#store(repo);
    await within(this.#present(store, commit), signal);
    const found = await within(store.read(commit), signal);
    if (found?.type !== 'commit') throw notFound(store, commit);
    const refs = store.refs.remembered();
    return { ...parseCommit(found.content.toString('utf8')), tags: refs === undefined ? [] : tagsOf(refs, commit) };
  }

  async close(): Promise<void> {
    const stores = [...this.#stores.values()];
    this.#stores.clear();
    await Promise.all(stores.map((store) => store.close()));
  }

  #store(repo: RepositoryAccess): ObjectStore {
    const scope = scopeOf(repo);
    const known = this.#stores.get(scope);
    if (known !== undefined) return known;
    const store = new ObjectStore(repo, this.#settings, { clock: this.#clock, log: this.#log });
    this.#stores.set(scope, store);
    return store;
  }

  async #resolve(store: ObjectStore, question: RevisionQuestion, signal: AbortSignal): Promise<ResolvedRevision> {
    const { revision, freshness } = question;
    if (revision.startsWith('-') || (/[\s\0]/.test(revision.trim()) && !/[<>=~^|,*]/.test(revision)))
      throw notFound(store, revision);
    const isFull = fullSha.test(revision);
    const here = isFull ? await store.commit(revision.toLowerCase()) : undefined;
    if (here !== undefined) return { commit: here };
    const remembered = freshness === 'cached' ? store.refs.remembered() : undefined;
    const refs = remembered ?? (await store.refs.ask(freshness));
    const named = resolveInRefs(refs, question);
    if (named !== undefined) {
      await this.#present(store, named.commit, named.ref);
      return named;
    }
    if (isFull) return { commit: await this.#present(store, revision.toLowerCase()) };
    if (shortSha.test(revision)) {
      const commit = await this.#bySha(store, revision, signal);
      if (commit !== undefined) return { commit };
    }
    // What was remembered may be too old to know the revision.
    if (remembered !== undefined) return this.#resolve(store, { ...question, freshness: 'latest' }, signal);
    throw notFound(store, revision, refs);
  }

  async #bySha(store: ObjectStore, sha: string, signal: AbortSignal): Promise<string | undefined> {
    for (const attempt of ['as it is', 'after a fetch'] as const) {
      if (attempt === 'after a fetch') await store.fetch();
      const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${sha.toLowerCase()}^{commit}`];
      const outcome = await store.local(args, signal);
      if (outcome.kind !== 'exit') throw store.failed(outcome, 'resolving a revision');
      if (outcome.code === 0) return outcome.stdout.toString('utf8').trim();
    }
    return undefined;
  }

  /** Sees to it that a commit is in the store. */
  async #present(store: ObjectStore, oid: string, ref?: string): Promise<string> {
    if (!fullSha.test(oid)) throw notFound(store, oid);
    const here = await store.commit(oid);
    if (here !== undefined) return here;
    await store.fetch();
    const fetched = await store.commit(oid);
    if (fetched !== undefined) return fetched;
    // Refs beside branches and tags (pull requests), and commits that no ref leads to any more.
    await store.fetch(ref ?? oid).catch((error: unknown) => {
      throw isCoded(error, 'git/revision-not-found') ? notFound(store, oid) : error;
    });
    const found = await store.commit(oid);
    if (found === undefined) throw notFound(store, oid);
    return found;
  }

  async #listing(store: ObjectStore, scope: string, oid: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const key = `${scope} ${oid}`;
    const known = this.#listings.get(key);
    if (known !== undefined) return known;
    const found = await store.read(oid);
    if (found?.type !== 'tree')
      throw new CodedError('git/hostile-repository', `${store.name}: the folder ${oid} is missing`);
    const listing = parseTree(found.content, oid.length / 2, store.name);
    this.#listings.set(key, listing);
    return listing;
  }

  async #blob(store: ObjectStore, scope: string, oid: string): Promise<Buffer> {
    const key = `${scope} ${oid}`;
    const known = this.#blobs.get(key);
    if (known !== undefined) return known;
    const found = await store.read(oid);
    if (found?.type !== 'blob')
      throw new CodedError('git/hostile-repository', `${store.name}: the file ${oid} is missing`);
    if (found.content.length <= maxCachedBlobBytes) this.#blobs.set(key, found.content);
    return found.content;
  }
}

function notFound(store: ObjectStore, revision: string, refs?: Refs): CodedError {
  const empty = refs?.commits.size === 0 ? ' (the repository is empty)' : '';
  return new CodedError(
    'git/revision-not-found',
    `${store.name}: the revision "${revision || 'HEAD'}" was not found${empty}`,
  );
}

/** Opens the repositories below a data folder. */
export const openGitStore = (
  ports: Readonly<{ clock: Clock; log: Logger }>,
  settings: Partial<GitSettings> & Pick<GitSettings, 'dataDir'>,
): GitStore => new Store(ports, { ...gitDefaults, ...settings, dataDir: absolute(settings.dataDir) });
