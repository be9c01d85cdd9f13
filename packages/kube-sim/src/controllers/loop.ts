import { messageOf, type KubeObject } from '@tiphys/api';
import type { Cluster } from '../server/cluster.ts';
import type { Controller } from './controller.ts';

/** Runs no longer than this before requests get their turn. */
const sliceMs = 8;

const maxBackoffMs = 5000;

/** Timers hold no longer waits than 24 days; whoever is woken too early goes back to sleep. */
const maxSleepMs = 3_600_000;

/** Calls reconcilers for what changes, one key at a time, between requests. */
export class ControllerLoop {
  readonly #cluster: Cluster;
  readonly #controllers: readonly Controller[];
  readonly #queue = new Map<string, readonly [Controller, string]>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, AbortController>();
  readonly #stopped = new AbortController();
  readonly #unsubscribe: () => void;
  #scheduled = false;

  constructor(cluster: Cluster, controllers: readonly Controller[]) {
    this.#cluster = cluster;
    this.#controllers = controllers;
    const { store } = cluster;
    const offer = (resource: string, object: KubeObject): void =>
      this.#offer({ type: 'ADDED', resource, object, previous: undefined, revision: store.revision });
    for (const resource of store.resources()) for (const object of store.list(resource)) offer(resource, object);
    this.#unsubscribe = store.subscribe((event) => this.#offer(event));
  }

  stop(): void {
    this.#unsubscribe();
    this.#queue.clear();
    this.#stopped.abort();
  }

  #offer(event: Parameters<Controller['concerns']>[0]): void {
    for (const controller of this.#controllers)
      for (const key of controller.concerns(event)) this.#enqueue(controller, key);
  }

  #enqueue(controller: Controller, key: string): void {
    this.#queue.set(`${controller.name} ${key}`, [controller, key]);
    if (this.#scheduled || this.#stopped.signal.aborted) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.#scheduled = false;
    const end = performance.now() + sliceMs;
    for (const [id, [controller, key]] of this.#queue) {
      this.#queue.delete(id);
      this.#run(controller, key);
      if (performance.now() > end) break;
    }
    if (this.#queue.size === 0 || this.#stopped.signal.aborted) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  #run(controller: Controller, key: string): void {
    const id = `${controller.name} ${key}`;
    try {
      const again = controller.reconcile(key);
      this.#failures.delete(id);
      if (again !== undefined) this.#later(controller, key, again);
    } catch (error) {
      const failures = (this.#failures.get(id) ?? 0) + 1;
      this.#failures.set(id, failures);
      this.#cluster.log.debug('reconcile failed', { controller: controller.name, key, error: messageOf(error) });
      this.#later(controller, key, Math.min(maxBackoffMs, 20 * 2 ** failures));
    }
  }

  // One wake-up per key: the newest wish replaces the one before.
  #later(controller: Controller, key: string, ms: number): void {
    const id = `${controller.name} ${key}`;
    this.#timers.get(id)?.abort();
    const timer = new AbortController();
    this.#timers.set(id, timer);
    const signal = AbortSignal.any([timer.signal, this.#stopped.signal]);
    const wake = (): void => {
      if (this.#timers.get(id) === timer) this.#timers.delete(id);
      this.#enqueue(controller, key);
    };
    this.#cluster.clock.sleep(Math.min(ms, maxSleepMs), signal).then(wake, () => {
      // Replaced by a newer wish, or stopped.
    });
  }
}
