import { type Clock, isCoded, type Logger, messageOf, normaliseRepositoryUrl } from '@tiphys/api';
import type { GitStore, RepositoryAccess, RevisionQuestion } from '@tiphys/engine';
import type { ReadSetIndex } from './read-set-index.ts';

/** One revision of one repository that some application follows. */
export type Followed = Readonly<{ url: string; revision: string; tagPrefix?: string | undefined }>;

/** A revision, and the commit of it that an application was last rendered at. */
type Rendered = Followed & Readonly<{ commit?: string | undefined }>;

export type RepositoryWatchPorts = Readonly<{
  git: GitStore;
  access: (url: string) => RepositoryAccess;
  reads: ReadSetIndex;
  clock: Clock;
  log: Logger;
}>;

export type RepositoryWatchSettings = Readonly<{
  /** How often a repository is asked for new commits now (`timeout.reconciliation`). */
  pollMs: () => number;
  /** Deadline of one look (60,000). */
  timeoutMs: number;
}>;

/** An application that a commit touches, and why it is compared. */
export type Touched = (application: string, because: string) => void;

/**
 * Watches each repository once, for all applications on it: one look per interval, one fetch when something moved, and only the
 * applications whose read-set a commit touched hear of it.
 */
export interface RepositoryWatch extends AsyncDisposable {
  /** What an application follows now; replaces what it followed before. */
  follow(application: string, followed: readonly Rendered[]): void;
  unfollow(application: string): void;
  /** Looks at a repository at once (webhook, or a commit that we know of). */
  poll(url: string): void;
  /** The interval may be another from now on: it counts from the last look. */
  reschedule(): void;
  /** The newest commit that was seen for a revision; undefined before the first look, and while the repository cannot be read. */
  newest(followed: Followed): string | undefined;
}

type Watched = {
  readonly url: string;
  readonly followers: Map<string, readonly Followed[]>;
  /** Newest commit seen, by revision. */
  readonly heads: Map<string, string>;
  /** Applications that were rendered at other commits than the newest seen, by revision: the next look tells which are newer. */
  readonly doubts: Map<string, ReadonlyMap<string, string>>;
  /** Ends the wait for the next look. */
  waiting: AbortController | undefined;
  /** When the last look ended, by the injected clock; when it was first followed, before that. */
  lookedAtMs: number;
  looking: Promise<void> | undefined;
  /** Asked for while looking. */
  again: boolean;
  /** The last look failed. */
  failing: boolean;
};

const revisionKey = ({ revision, tagPrefix }: Followed): string => `${revision}\n${tagPrefix ?? ''}`;

const unwatched = (url: string, nowMs: number): Watched => ({
  url,
  followers: new Map(),
  heads: new Map(),
  doubts: new Map(),
  waiting: undefined,
  lookedAtMs: nowMs,
  looking: undefined,
  again: false,
  failing: false,
});

class Watch implements RepositoryWatch {
  readonly #ports: RepositoryWatchPorts;
  readonly #settings: RepositoryWatchSettings;
  readonly #touched: Touched;
  readonly #repositories = new Map<string, Watched>();
  readonly #repositoriesOf = new Map<string, ReadonlySet<string>>();
  readonly #stopping = new AbortController();

  constructor(ports: RepositoryWatchPorts, settings: RepositoryWatchSettings, touched: Touched) {
    this.#ports = ports;
    this.#settings = settings;
    this.#touched = touched;
  }

  follow(application: string, followed: readonly Rendered[]): void {
    const wanted = Map.groupBy(followed, ({ url }) => normaliseRepositoryUrl(url));
    for (const key of this.#repositoriesOf.get(application) ?? []) if (!wanted.has(key)) this.#leave(application, key);
    this.#repositoriesOf.set(application, new Set(wanted.keys()));
    for (const [key, revisions] of wanted) {
      const known = this.#repositories.get(key);
      const watched = known ?? unwatched(revisions[0]?.url ?? '', this.#nowMs());
      this.#repositories.set(key, watched);
      watched.followers.set(application, revisions);
      this.#note(watched, application, revisions);
      if (known === undefined) this.#schedule(watched);
    }
  }

  unfollow(application: string): void {
    for (const key of this.#repositoriesOf.get(application) ?? []) this.#leave(application, key);
    this.#repositoriesOf.delete(application);
  }

  poll(url: string): void {
    const watched = this.#repositories.get(normaliseRepositoryUrl(url));
    if (watched !== undefined) this.#run(watched);
  }

  reschedule(): void {
    // One that is being looked at is scheduled at the end of the look.
    for (const watched of this.#repositories.values()) if (watched.looking === undefined) this.#schedule(watched);
  }

  newest(followed: Followed): string | undefined {
    const watched = this.#repositories.get(normaliseRepositoryUrl(followed.url));
    return watched?.failing === false ? watched.heads.get(revisionKey(followed)) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    for (const { waiting } of this.#repositories.values()) waiting?.abort();
    await Promise.all([...this.#repositories.values()].flatMap(({ looking }) => looking ?? []));
    this.#repositories.clear();
  }

  #note(watched: Watched, application: string, revisions: readonly Rendered[]): void {
    const doubts = new Map<string, string>();
    for (const own of revisions) {
      if (own.commit === undefined) continue;
      const key = revisionKey(own);
      const head = watched.heads.get(key);
      if (head === undefined) watched.heads.set(key, own.commit);
      else if (head !== own.commit) doubts.set(key, own.commit);
    }
    watched.doubts.delete(application);
    if (doubts.size === 0) return;
    watched.doubts.set(application, doubts);
    this.#run(watched);
  }

  /**
   * Who asked for a comparison may have been shown a commit before any look saw it. And a commit may have come while an
   * application was being rendered: what it touches was looked up before the application was in the index.
   */
  #settleDoubts({ doubts, heads }: Watched): void {
    const late = [...doubts].filter(([, commits]) => [...commits].some(([key, commit]) => heads.get(key) !== commit));
    doubts.clear();
    for (const [application] of late) this.#touched(application, 'a new commit came while it was compared');
  }

  #leave(application: string, key: string): void {
    const watched = this.#repositories.get(key);
    watched?.doubts.delete(application);
    if (watched?.followers.delete(application) !== true || watched.followers.size > 0) return;
    watched.waiting?.abort();
    this.#repositories.delete(key);
  }

  #nowMs(): number {
    return this.#ports.clock.now().getTime();
  }

  #schedule(watched: Watched): void {
    watched.waiting?.abort();
    if (this.#stopping.signal.aborted || watched.followers.size === 0) return;
    const waiting = new AbortController();
    watched.waiting = waiting;
    const waitMs = Math.max(0, watched.lookedAtMs + this.#settings.pollMs() - this.#nowMs());
    this.#ports.clock.sleep(waitMs, waiting.signal).then(
      () => this.#run(watched),
      () => undefined,
    );
  }

  #run(watched: Watched): void {
    if (watched.looking !== undefined) {
      watched.again = true;
      return;
    }
    watched.waiting?.abort();
    watched.looking = this.#look(watched)
      .then(() => this.#turned(watched, false))
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#ports.log.warn('repository could not be read', { repository: watched.url, error: messageOf(error) });
        this.#turned(watched, true);
      })
      .finally(() => {
        watched.looking = undefined;
        watched.lookedAtMs = this.#nowMs();
        const { again } = watched;
        watched.again = false;
        if (again) this.#run(watched);
        else this.#schedule(watched);
        if (!again && !watched.failing) this.#settleDoubts(watched);
      });
  }

  /** When a repository is lost or found again every application on it is compared, and says so in its own status. */
  #turned(watched: Watched, failing: boolean): void {
    if (watched.failing === failing) return;
    watched.failing = failing;
    const because = failing ? 'its repository cannot be read' : 'its repository can be read again';
    for (const application of watched.followers.keys()) this.#touched(application, because);
  }

  /** Asks the remote once; its refs answer for all revisions that are followed. */
  async #look(watched: Watched): Promise<void> {
    const { git, access } = this.#ports;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(this.#settings.timeoutMs)]);
    const repo = access(watched.url);
    const revisions = new Map(
      [...watched.followers.values()].flat().map((followed) => [revisionKey(followed), followed]),
    );
    let freshness: 'latest' | 'cached' = 'latest';
    for (const [key, { revision, tagPrefix }] of revisions) {
      const from = watched.heads.get(key);
      const commit = await this.#resolve(watched, { revision, tagPrefix, freshness }, signal);
      freshness = 'cached';
      if (commit === undefined) watched.heads.delete(key);
      else watched.heads.set(key, commit);
      if (from === commit) continue;
      // Without two commits there is nothing to compare: a revision that came or went concerns all who follow it.
      const changed =
        from === undefined || commit === undefined
          ? undefined
          : await git.changedPaths(repo, { from, to: commit }, signal);
      this.#tell(watched, { key, revision, commit: commit ?? '', changed });
    }
  }

  /** Undefined when there is no such revision; that is the affair of those who follow it, not of the repository. */
  async #resolve(watched: Watched, question: RevisionQuestion, signal: AbortSignal): Promise<string | undefined> {
    const { git, access } = this.#ports;
    try {
      return (await git.resolve(access(watched.url), question, signal)).commit;
    } catch (error) {
      if (!isCoded(error, 'git/revision-not-found')) throw error;
      return undefined;
    }
  }

  #tell(
    watched: Watched,
    move: Readonly<{ key: string; revision: string; commit: string; changed: readonly string[] | undefined }>,
  ): void {
    const { reads, log } = this.#ports;
    const { key, revision, commit, changed } = move;
    const readers =
      changed === undefined ? watched.followers.keys() : reads.affected(normaliseRepositoryUrl(watched.url), changed);
    const applications = [...readers].filter((application) =>
      watched.followers.get(application)?.some((own) => revisionKey(own) === key),
    );
    const because = commit === '' ? `${revision} is gone` : `${revision} is at ${commit.slice(0, 8)}`;
    for (const application of applications) this.#touched(application, because);
    log.info('new commit', {
      repository: watched.url,
      revision,
      commit,
      paths: changed?.length,
      applications: applications.length,
    });
  }
}

export const openRepositoryWatch = (
  ports: RepositoryWatchPorts,
  settings: RepositoryWatchSettings,
  touched: Touched,
): RepositoryWatch => new Watch(ports, settings, touched);
