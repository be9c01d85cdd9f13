import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@tiphys/api';
import { type ApplicationController, runApplicationController } from '@tiphys/controllers';
import { gitDefaults, openGitStore, openRenderer, rendererDefaults } from '@tiphys/engine';
import { connect, defaultClientSettings, type KubeClient } from '@tiphys/kube';
import type { RenderLimits } from './render-limits.ts';
import type { ToolPaths } from './tools.ts';

/** What a controller is made of: the control plane's cluster, the tools, a folder, and a few settings of the command line. */
export type Composition = Readonly<{
  client: KubeClient;
  tools: ToolPaths;
  /** PATH of git, and the variables that it needs. */
  git: Readonly<{ path: string; environment: Readonly<Record<string, string>> }>;
  /** Repositories and render folders; may be deleted at any time. */
  dataDir: string;
  /** Folders that no render tool may see: kubeconfigs, keys. */
  hiddenPaths: readonly string[];
  /** Limits of rendering that differ from the defaults. */
  render?: RenderLimits;
  log: Logger;
  clock: Clock;
  settings: Readonly<{
    namespace: string;
    /** How often repositories are asked for commits; `timeout.reconciliation` when undefined. */
    repositoryPollMs?: number | undefined;
    /** Overrides `timeout.reconciliation`. */
    refreshIntervalMs?: number | undefined;
    /** Overrides `controller.sync.wave.delay.seconds`. */
    waveDelayMs?: number | undefined;
    takeOver: boolean;
  }>;
}>;

/** A controller with all its parts; `stop` takes them down in the opposite order. */
export type RunningController = AsyncDisposable &
  Readonly<{ controller: ApplicationController; stop: () => Promise<void> }>;

/** Puts an application controller together and starts it. */
export async function startController(composition: Composition): Promise<RunningController> {
  const { client, tools, dataDir, log, clock, settings } = composition;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // A local repository is asked by a look at its refs files, so refs may be trusted no longer than until the next poll.
  const refsMs = settings.repositoryPollMs ?? settings.refreshIntervalMs ?? gitDefaults.refsMs;
  const git = openGitStore(
    { clock, log },
    { ...gitDefaults, ...composition.git, dataDir: join(dataDir, 'git'), refsMs },
  );
  const renderer = await openRenderer(
    { git, tools, log, clock },
    {
      ...composition.render,
      workDir: join(dataDir, 'render'),
      hiddenPaths: [...rendererDefaults.hiddenPaths, ...composition.hiddenPaths, join(dataDir, 'git')],
      networkEnvironment: composition.git.environment,
    },
  );
  const connectCluster = (config: Parameters<typeof connect>[0]): KubeClient =>
    connect(
      config,
      { ...defaultClientSettings, qps: 1000, burst: 2000, userAgent: 'tiphys-application-controller' },
      { log, clock },
    );
  const controller = await runApplicationController(
    { client, git, renderer, connect: connectCluster, clock, log },
    settings,
  );
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      await controller.stop();
      await renderer.close();
      await git.close();
    })();
    return stopped;
  };
  return { controller, stop, [Symbol.asyncDispose]: stop };
}
