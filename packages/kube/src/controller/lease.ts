import { isCoded, messageOf, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import type { Lease, LeaseOptions, LeasePorts } from './types.ts';

const gvk = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' } as const;

/** What was last seen of a Lease that somebody holds, and since when it has not changed by our own clock. */
type Observed = Readonly<{ resourceVersion: string; atMs: number }>;

/** Times of a Lease have microseconds. */
const microTime = (now: Date): string => now.toISOString().replace(/Z$/, '000Z');

/**
 * Holds a Lease. Whether another's has run out is judged by how long it has been unchanged on our monotonic clock, never by the
 * times in it: clocks of machines differ.
 */
class LeaseHolder {
  readonly #options: LeaseOptions & Readonly<{ durationMs: number; renewMs: number; marginMs: number }>;
  readonly #ports: LeasePorts;
  readonly #monotonicMs: () => number;
  readonly #stopping = new AbortController();
  readonly #onHeld = new Set<(epoch: number) => void>();
  readonly #onLost = new Set<() => void>();
  #running: Promise<void> = Promise.resolve();
  /** Ours as last written; undefined when it must be read first. */
  #mine: KubeObject | undefined;
  #observed: Observed | undefined;
  #heldUntilMs = -Infinity;
  #expiry = new AbortController();
  #epoch: number | undefined;
  #holder: string | undefined;

  constructor(options: LeaseOptions, ports: LeasePorts) {
    const { durationMs = 15_000, renewMs = 5_000, marginMs = 3_000 } = options;
    this.#options = { ...options, durationMs, renewMs, marginMs };
    this.#ports = ports;
    this.#monotonicMs = ports.monotonicMs ?? (() => performance.now());
  }

  start(): void {
    this.#running = this.#run();
  }

  held(): boolean {
    return this.#epoch !== undefined && this.#monotonicMs() < this.#heldUntilMs;
  }

  get epoch(): number | undefined {
    return this.held() ? this.#epoch : undefined;
  }

  get holder(): string | undefined {
    return this.#holder;
  }

  onHeld(listener: (epoch: number) => void): () => void {
    this.#onHeld.add(listener);
    return () => this.#onHeld.delete(listener);
  }

  onLost(listener: () => void): () => void {
    this.#onLost.add(listener);
    return () => this.#onLost.delete(listener);
  }

  async release(): Promise<void> {
    this.#stopping.abort(new Error('the lease is given back'));
    await this.#running;
    const mine = this.#mine;
    if (!this.held() || mine === undefined) return;
    // First stop believing in it, then tell the others. What is given back is not lost: nobody need be told.
    this.#forget();
    const { client, renewMs } = this.#options;
    const spec = { ...this.#spec(this.#transitionsOf(mine)), holderIdentity: '', leaseDurationSeconds: 1 };
    await client.replace({ ...mine, spec }, { timeoutMs: renewMs }).catch((error: unknown) => {
      this.#ports.log.warn('lease could not be given back and will run out', { error: messageOf(error) });
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#tick();
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.#mine = undefined;
        const { namespace, name } = this.#options;
        this.#ports.log.warn('lease could not be renewed', { namespace, name, error: messageOf(error) });
      }
      const jitter = 1 + 0.1 * (this.#ports.random ?? Math.random)();
      await this.#ports.clock.sleep(this.#options.renewMs * jitter, signal).catch(() => undefined);
    }
  }

  async #tick(): Promise<void> {
    const { client, namespace, name, renewMs, identity } = this.#options;
    const call = { timeoutMs: renewMs, signal: this.#stopping.signal };
    // The claim counts from before the call: the server may have written it at once and answered late.
    const startedMs = this.#monotonicMs();
    if (this.#mine !== undefined && this.held()) {
      await this.#write(this.#mine, this.#transitionsOf(this.#mine), startedMs);
      return;
    }
    const found = await client.get({ gvk, namespace, name }, call);
    if (found === undefined) {
      const metadata = { namespace, name };
      const created = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: this.#spec(0) };
      try {
        this.#won(await client.create(created, call), startedMs);
      } catch (error) {
        if (!isCoded(error, 'kube/already-exists')) throw error;
      }
      return;
    }
    this.#holder = stringAt(found, 'spec', 'holderIdentity');
    if (this.#holder === identity || this.#isFree(found) || (await this.#isHolderGone())) {
      // A new claim, even of our own lapsed one, is a new epoch; a renewal is not.
      const transitions = this.#transitionsOf(found);
      await this.#write(found, this.held() ? transitions : transitions + 1, startedMs);
    }
  }

  async #write(lease: KubeObject, transitions: number, startedMs: number): Promise<void> {
    const { client, renewMs } = this.#options;
    const call = { timeoutMs: renewMs, signal: this.#stopping.signal };
    try {
      this.#won(await client.replace({ ...lease, spec: this.#spec(transitions) }, call), startedMs);
    } catch (error) {
      if (!isCoded(error, 'kube/conflict', 'kube/not-found')) throw error;
      // Somebody was faster; the next tick looks again.
      this.#mine = undefined;
      if (this.held()) this.#lose();
    }
  }

  #spec(transitions: number): Record<string, unknown> {
    const now = microTime(this.#ports.clock.now());
    const acquired = this.#mine === undefined ? undefined : stringAt(this.#mine, 'spec', 'acquireTime');
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(this.#options.durationMs / 1000)),
      acquireTime: acquired ?? now,
      renewTime: now,
      leaseTransitions: transitions,
    };
  }

  #transitionsOf(lease: KubeObject): number {
    return numberAt(lease, 'spec', 'leaseTransitions') ?? 0;
  }

  #isFree(lease: KubeObject): boolean {
    if ((stringAt(lease, 'spec', 'holderIdentity') ?? '') === '') return true;
    const resourceVersion = lease.metadata.resourceVersion ?? '';
    const now = this.#monotonicMs();
    if (this.#observed?.resourceVersion !== resourceVersion) {
      this.#observed = { resourceVersion, atMs: now };
      return false;
    }
    const seconds = numberAt(lease, 'spec', 'leaseDurationSeconds') ?? this.#options.durationMs / 1000;
    return now - this.#observed.atMs > seconds * 1000;
  }

  async #isHolderGone(): Promise<boolean> {
    const { isGone } = this.#options;
    return isGone !== undefined && this.#holder !== undefined && (await isGone(this.#holder));
  }

  #won(lease: KubeObject, startedMs: number): void {
    const { durationMs, marginMs, identity } = this.#options;
    const isNew = !this.held();
    this.#mine = lease;
    this.#holder = identity;
    this.#epoch = this.#transitionsOf(lease);
    this.#heldUntilMs = startedMs + durationMs - marginMs;
    this.#watchExpiry();
    if (isNew) for (const listener of [...this.#onHeld]) listener(this.#epoch);
  }

  /** Tells of the loss when it happens, even while a renewal hangs. */
  #watchExpiry(): void {
    this.#expiry.abort();
    const expiry = new AbortController();
    this.#expiry = expiry;
    this.#ports.clock.sleep(Math.max(0, this.#heldUntilMs - this.#monotonicMs()), expiry.signal).then(
      () => this.#lose(),
      () => {
        // Renewed or given back first.
      },
    );
  }

  #forget(): void {
    this.#expiry.abort();
    this.#epoch = undefined;
    this.#heldUntilMs = -Infinity;
  }

  #lose(): void {
    const held = this.#epoch !== undefined;
    this.#forget();
    if (!held) return;
    for (const listener of [...this.#onLost]) listener();
  }
}

/** Tries to hold a Lease, at once and for ever, until released. */
export function holdLease(options: LeaseOptions, ports: LeasePorts): Lease {
  const holder = new LeaseHolder(options, ports);
  holder.start();
  return {
    held: () => holder.held(),
    get epoch() {
      return holder.epoch;
    },
    get holder() {
      return holder.holder;
    },
    onHeld: (listener) => holder.onHeld(listener),
    onLost: (listener) => holder.onLost(listener),
    release: () => holder.release(),
    [Symbol.asyncDispose]: () => holder.release(),
  };
}
