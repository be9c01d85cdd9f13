import type { Application, ResourceKey } from '@tiphys/api';
import type { Comparison, ReadSet, WantedSource } from '@tiphys/engine';
import type { InstallationSettings } from '@tiphys/operations';
import type { ApplicationMemories, ApplicationMemory } from './application-memory.ts';
import type { ApplicationStore, StoredApplication } from './watch/application-store.ts';
import type { CompareParts } from './compare/compare-application.ts';
import type { Inputs } from './compare/decide-refresh.ts';
import type { SharedObject } from './watch/desired-index.ts';
import type { Destination, Destinations } from './watch/destinations.ts';
import type { EventRecorder } from './status/events.ts';
import type { Ownership } from './ownership/ownership.ts';
import type { ApplicationPorts } from './ports.ts';

/** Work done since the start, for metrics and tests. */
export type Counts = { compared: number; operations: number; patches: number };

/** All that a pass may use. One per controller. */
export type Context = Readonly<{
  ports: ApplicationPorts;
  /** Control plane's namespace. */
  namespace: string;
  ownership: Ownership;
  settings: () => InstallationSettings;
  waveDelayMs: () => number;
  store: ApplicationStore;
  memories: ApplicationMemories;
  destinations: Destinations;
  events: EventRecorder;
  counts: Counts;
  compareParts: () => CompareParts;
  /** Refresh interval of an application, jitter included. */
  intervalMs: (key: string) => number;
  inputs: (application: Application) => Inputs;
  /** Whether the application's cluster has been searched for tracking marks. */
  isComplete: (application: Application) => boolean;
  /** The sync status that a comparison comes to. */
  verdict: (comparison: Comparison, destination: Destination) => 'Synced' | 'OutOfSync' | 'Unknown';
  /** What the application read, and at which commits: new ones are looked out for. */
  follow: (
    key: string,
    what: Readonly<{
      sources: readonly WantedSource[];
      /** Unknown after a failure before the render. */
      readSets: readonly ReadSet[] | undefined;
      commits: readonly string[];
    }>,
  ) => void;
  /** Whether these are the newest commits of Git sources, as the watch of their repositories knows. */
  isNewest: (sources: readonly WantedSource[], commits: readonly string[]) => boolean;
  /** Whether an AppProject of that name exists. */
  hasProject: (name: string) => boolean;
  /** Notes what an application desires; answers what others desire too. */
  desire: (key: string, server: string, keys: readonly ResourceKey[]) => readonly SharedObject[];
  /** Runs while fewer than `controller.operation.processors` operations are being worked on. */
  limitOperations: <T>(run: () => Promise<T>) => Promise<T>;
  /** Reads an application anew from the API server. */
  reread: (key: string, signal: AbortSignal) => Promise<StoredApplication | undefined>;
  /** Forgets an application that is gone. */
  forget: (key: string) => void;
}>;

/** One pass over one application. `stored` and `application` move on with what is written. */
export type Pass = {
  readonly key: string;
  stored: StoredApplication;
  application: Application;
  readonly memory: ApplicationMemory;
  /** Verdicts that this pass has told of, stored or not. */
  readonly told: { sync?: string; health?: string };
  readonly context: Context;
  readonly signal: AbortSignal;
};
