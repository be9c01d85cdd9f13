import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type Clock, isCoded, limiter, type Logger } from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import type { GitStore } from '../git/read/git-store.ts';
import { sha256 } from './digest.ts';
import type { Plan, PlanResult, Workspace } from './plan.ts';
import { fingerprint, type LinkIndex, linkTargetsBelow, type Read, type Reads } from './read-set.ts';
import { type Outcome, RenderCache } from './render-cache.ts';
import type { RendererSettings } from './renderer-settings.ts';

/** Part of every key: what this program itself makes of files and of a tool's output. Raised when that changes. */
const policyVersion = 2;

/** What became of one source: `ran` when it was not remembered. */
export type Attempt = Readonly<{ key: string; outcome: Outcome; read: readonly Read[]; ran: boolean }>;

export type SourceRendererPorts = Readonly<{ git: GitStore; toolVersions: string; clock: Clock; log: Logger }>;

/**
 * Runs plans, and remembers what came of them by the content that they could see. A run belongs to all who wait for it: an abort
 * of one of them does not end it, closing does.
 */
export class SourceRenderer {
  readonly #ports: SourceRendererPorts;
  readonly #settings: RendererSettings;
  readonly #cache: RenderCache;
  readonly #links = new LRUCache<string, readonly string[]>({ max: 20_000 });
  readonly #limited: <T>(run: () => Promise<T>) => Promise<T>;
  readonly #closing = new AbortController();
  #renders = 0;

  constructor(ports: SourceRendererPorts, settings: RendererSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#limited = limiter(() => settings.parallelism);
    this.#cache = new RenderCache({ maxBytes: settings.cacheBytes, now: () => ports.clock.now().getTime() });
  }

  /** How often something was really rendered. */
  get renders(): number {
    return this.#renders;
  }

  close(): void {
    this.#closing.abort(new Error('the renderer was closed'));
  }

  /** Renders a plan, or answers what is remembered, unless it is to be done anew. Failures with a code are outcomes. */
  render(plan: Plan, anew = false): Promise<Attempt> {
    const index = this.#settings.readSets === 'presumed' ? 0 : plan.candidates.length - 1;
    return this.#attempt(plan, { index, anew });
  }

  /** Tries a read-set; when it is known to be too narrow, the next one. */
  async #attempt(plan: Plan, { index, anew }: Readonly<{ index: number; anew: boolean }>): Promise<Attempt> {
    const wider = { index: index + 1, anew };
    const reads = (await plan.candidates[index]?.()) ?? [];
    const seen = { type: plan.sourceType, sees: plan.sees, tools: this.#ports.toolVersions, policyVersion };
    const { text, read } = await fingerprint(reads, this.#linkIndex);
    const key = sha256(canonicalJson(seen), text);
    const known = this.#cache.get(key);
    // That a set of files is too small follows from the files alone; it stays known.
    if (known?.kind === 'insufficient') return this.#attempt(plan, wider);
    if (known !== undefined && !anew) return { key, outcome: known, read, ran: false };
    let ran = false;
    // A run that began before it was asked for anew may have read something older.
    const outcome = await this.#cache.once(anew ? `${key} anew` : key, () => {
      ran = true;
      return this.#renderNew(plan, { index, key, reads, anew });
    });
    if (outcome.kind !== 'insufficient') return { key, outcome, read, ran };
    return { ...(await this.#attempt(plan, wider)), ran };
  }

  async #renderNew(
    plan: Plan,
    what: Readonly<{ index: number; key: string; reads: readonly Reads[]; anew: boolean }>,
  ): Promise<Outcome> {
    const result = await this.#execute(plan, what.reads);
    const mayWiden = result.kind === 'failed' && result.missesFile && what.index < plan.candidates.length - 1;
    const widens = mayWiden && (await this.#isWiderBetter(plan, { ...what, error: result.error }));
    const outcome = outcomeOf(result, widens);
    this.#cache.set(what.key, outcome, this.#freshMs(plan, outcome));
    return outcome;
  }

  /** Whether a wider set of files gives another answer than the failure of this one. */
  async #isWiderBetter(
    plan: Plan,
    failure: Readonly<{ index: number; error: Error; anew: boolean }>,
  ): Promise<boolean> {
    const { outcome } = await this.#attempt(plan, { index: failure.index + 1, anew: failure.anew });
    if (outcome.kind !== 'failed') return true;
    // A file elsewhere in the repository cannot be written out (a hostile link, too much): the first failure is the one to tell.
    if (isCoded(outcome.error) && outcome.error.code.startsWith('git/')) return false;
    return outcome.error.message !== failure.error.message;
  }

  #freshMs({ freshMs }: Plan, outcome: Outcome): number | undefined {
    if (outcome.kind !== 'failed') return freshMs;
    const { failureMs, passingFailureMs, remoteFreshMs } = this.#settings;
    const { error } = outcome;
    if (isCoded(error) && error.policy.retry === 'backoff') return passingFailureMs;
    // A chart that a repository lacks may be published at any time; commits are found before a render.
    const longest = isCoded(error, 'git/revision-not-found') ? remoteFreshMs : failureMs;
    return Math.min(longest, freshMs ?? longest);
  }

  /** Runs a plan in folders of its own, which are gone afterwards. */
  #execute(plan: Plan, reads: readonly Reads[]): Promise<PlanResult> {
    const root = join(this.#settings.workDir, 'runs', randomUUID());
    let written: Promise<readonly string[]> | undefined;
    const workspace: Workspace = {
      home: join(root, 'home'),
      materialise: () => (written ??= this.#materialise(root, reads)),
    };
    return this.#limited(async () => {
      const started = performance.now();
      this.#renders += 1;
      try {
        this.#closing.signal.throwIfAborted();
        if (plan.sourceType !== 'Directory') await mkdir(join(workspace.home, 'tmp'), { recursive: true });
        return await plan.run(reads, workspace, this.#closing.signal);
      } catch (error) {
        // A failure that has a code is a result, and remembered like one.
        if (!isCoded(error)) throw error;
        return { kind: 'failed', error, missesFile: false };
      } finally {
        if (plan.sourceType !== 'Directory') await rm(root, { recursive: true, force: true });
        const durationMs = Math.round(performance.now() - started);
        this.#ports.log.info('rendered', { tool: plan.sourceType, durationMs });
      }
    });
  }

  async #materialise(root: string, reads: readonly Reads[]): Promise<readonly string[]> {
    const folders = reads.map((_, index) => join(root, String(index)));
    for (const [index, { tree, paths }] of reads.entries()) {
      const folder = folders[index] ?? root;
      await mkdir(folder, { recursive: true });
      await this.#ports.git.materialise({ tree, paths }, folder);
    }
    return folders;
  }

  readonly #linkIndex: LinkIndex = async (tree, folder, path) => {
    const key = `${tree.origin.repository} ${path} ${folder.oid}`;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const targets = await linkTargetsBelow(tree, path);
    this.#links.set(key, targets);
    return targets;
  };
}

function outcomeOf(result: PlanResult, widens: boolean): Outcome {
  if (widens) return { kind: 'insufficient' };
  return result.kind === 'failed' ? { kind: 'failed', error: result.error } : result;
}
