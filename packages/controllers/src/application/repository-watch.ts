import { type Clock, type Logger, messageOf } from '@tiphys/api';
import { type GitStore, normaliseRepositoryUrl, type RepositoryAccess } from '@tiphys/engine';
import type { ReadSetIndex } from './read-set-index.ts';

/** One revision of one repository that some application follows. */
export type Followed = Readonly<{ url: string; revision: string; tagPrefix?: string | undefined }>;

export type RepositoryWatchPorts = Readonly<{
  git: GitStore;
  access: (url: string) => RepositoryAccess;
  reads: ReadSetIndex;
  clock: Clock;
  log: Logger;
}>;

export type RepositoryWatchSettings = Readonly<{
  /** How often a repository is asked for new commits (`timeout.reconciliation`). */
  pollMs: number;
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
  /** What an application follows now; replaces what it followed before. `commit` is the one it was last rendered at. */
  follow(application: string, followed: readonly (Followed & { commit?: string | undefined })[]): void;
  unfollow(application: string): void;
  /** Looks at a repository at once (webhook, or a commit that we know of). */
  poll(url: string): void;
  /** The newest commit that was seen for a revision; undefined before the first look. */
  newest(followed: Followed): string | undefined;
}

type Watched = {
  readonly url: string;
  readonly followers: Map<string, readonly Followed[]>;
  readonly heads: Map<string, string>;
  timer: NodeJS.Timeout | undefined;
  looking: Promise<void> | undefined;
  again: boolean;
};

const revisionKey = ({ revision, tagPrefix }: Followed): string => `${revision}\n${tagPrefix ?? ''}`;

export function openRepositoryWatch(
  ports: RepositoryWatchPorts,
  settings: RepositoryWatchSettings,
  touched: Touched,
): RepositoryWatch {
  const repositories = new Map<string, Watched>();
  const repositoriesOf = new Map<string, ReadonlySet<string>>();
  const stopping = new AbortController();

  const look = async (watched: Watched): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(settings.timeoutMs)]);
    const repo = ports.access(watched.url);
    const revisions = new Map(
      [...watched.followers.values()].flat().map((followed) => [revisionKey(followed), followed]),
    );
    // The first question asks the remote and brings all its refs; the others are answered by those.
    let freshness: 'latest' | 'cached' = 'latest';
    for (const [key, followed] of revisions) {
      const { tagPrefix } = followed;
      const { commit } = await ports.git.resolve(repo, { revision: followed.revision, tagPrefix, freshness }, signal);
      freshness = 'cached';
      const before = watched.heads.get(key);
      watched.heads.set(key, commit);
      if (before === undefined || before === commit) continue;
      const changed = await ports.git.changedPaths(repo, { from: before, to: commit }, signal);
      const readers = ports.reads.affected(normaliseRepositoryUrl(watched.url), changed);
      let count = 0;
      for (const application of readers) {
        if (!watched.followers.get(application)?.some((own) => revisionKey(own) === key)) continue;
        touched(application, `${followed.revision} is at ${commit.slice(0, 8)}`);
        count += 1;
      }
      ports.log.info('new commit', {
        repository: watched.url,
        revision: followed.revision,
        commit,
        paths: changed.length,
        applications: count,
      });
    }
  };

  const schedule = (watched: Watched): void => {
    clearTimeout(watched.timer);
    if (stopping.signal.aborted || watched.followers.size === 0) return;
    watched.timer = setTimeout(() => run(watched), settings.pollMs);
    watched.timer.unref();
  };

  const run = (watched: Watched): void => {
    if (watched.looking !== undefined) {
      watched.again = true;
      return;
    }
    clearTimeout(watched.timer);
    watched.looking = look(watched)
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        // Every application on it is told, so that each says in its own status why its desired state cannot be had.
        ports.log.warn('repository could not be read', { repository: watched.url, error: messageOf(error) });
        for (const application of watched.followers.keys()) touched(application, 'its repository could not be read');
      })
      .finally(() => {
        watched.looking = undefined;
        const again = watched.again;
        watched.again = false;
        if (again) run(watched);
        else schedule(watched);
      });
  };

  const leave = (application: string, key: string): void => {
    const watched = repositories.get(key);
    if (watched?.followers.delete(application) !== true || watched.followers.size > 0) return;
    clearTimeout(watched.timer);
    repositories.delete(key);
  };

  return {
    unfollow: (application) => {
      for (const key of repositoriesOf.get(application) ?? []) leave(application, key);
      repositoriesOf.delete(application);
    },
    follow: (application, followed) => {
      const wanted = Map.groupBy(followed, ({ url }) => normaliseRepositoryUrl(url));
      for (const key of repositoriesOf.get(application) ?? []) if (!wanted.has(key)) leave(application, key);
      repositoriesOf.set(application, new Set(wanted.keys()));
      for (const [key, revisions] of wanted) {
        const known = repositories.get(key);
        const watched: Watched = known ?? {
          url: revisions[0]?.url ?? '',
          followers: new Map(),
          heads: new Map(),
          timer: undefined,
          looking: undefined,
          again: false,
        };
        repositories.set(key, watched);
        watched.followers.set(application, revisions);
        for (const own of revisions) {
          if (own.commit === undefined) continue;
          const head = watched.heads.get(revisionKey(own));
          if (head === undefined) watched.heads.set(revisionKey(own), own.commit);
          // A commit came while this one was being rendered: what it touches was looked up before we were in the index.
          else if (head !== own.commit) touched(application, `${own.revision} moved while it was compared`);
        }
        if (known === undefined) schedule(watched);
      }
    },
    poll: (url) => {
      const watched = repositories.get(normaliseRepositoryUrl(url));
      if (watched !== undefined) run(watched);
    },
    newest: (followed) => repositories.get(normaliseRepositoryUrl(followed.url))?.heads.get(revisionKey(followed)),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      for (const watched of repositories.values()) clearTimeout(watched.timer);
      await Promise.all([...repositories.values()].map(({ looking }) => looking));
      repositories.clear();
    },
  };
}
