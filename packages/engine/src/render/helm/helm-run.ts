import { withToolFolder } from '../tool-folder.ts';
import type { ToolResult, ToolRun } from '../tool.ts';

/** What runs of Helm that fetch something need. */
export type HelmRunPorts = Readonly<{
  helm: string;
  run: (run: ToolRun, signal: AbortSignal) => Promise<ToolResult>;
}>;

/** Runs Helm in the folder that was made for it. */
export type HelmRun = (args: readonly string[], signal: AbortSignal) => Promise<ToolResult>;

export type HelmRunSettings = Readonly<{
  runsDir: string;
  env: Readonly<Record<string, string>>;
  /** Address space; default: that of every tool. */
  maxMemoryBytes?: number;
}>;

/** Gives Helm a folder of its own that is gone afterwards. */
export const withHelm = <T>(
  { helm, run }: HelmRunPorts,
  { runsDir, env, maxMemoryBytes }: HelmRunSettings,
  use: (home: string, helm: HelmRun) => Promise<T>,
): Promise<T> =>
  withToolFolder(runsDir, (home) =>
    use(home, (args, signal) =>
      run(
        {
          tool: 'helm',
          program: { command: helm, args: [] },
          args,
          cwd: home,
          home,
          network: 'allowed',
          env,
          maxMemoryBytes,
        },
        signal,
      ),
    ),
  );
