import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { CodedError } from '@tiphys/api';
import { LRUCache } from 'lru-cache';
import { withToolFolder } from '../tool-folder.ts';
import type { ToolCommand, ToolResult, ToolRun } from '../tool.ts';
import type { KustomizeSettings } from '../types.ts';

/** A kustomize to build with. */
export type KustomizeProgram = Readonly<{
  program: ToolCommand;
  /** The options of the installation for it, in words. */
  buildOptions: readonly string[];
  /** The setting that they come from. */
  optionsKey: string;
  /** The same as long as it is the very same program; part of the key of what it renders. Undefined for the one that is built in. */
  fingerprint: string | undefined;
}>;

const known = ({ paths }: KustomizeSettings): string =>
  Object.keys(paths).length === 0
    ? 'argocd-cm names none (kustomize.path.<version>)'
    : `known are ${Object.keys(paths).sort().join(', ')}`;

/**
 * The program of a version: what `kustomize.path.<version>` names, the built-in one without a version.
 * @throws CodedError render/failed for a version that argocd-cm does not name, render/tool-missing for a path that is no program
 */
export async function kustomizeOf(
  version: string,
  settings: KustomizeSettings,
  builtIn: ToolCommand,
): Promise<KustomizeProgram> {
  const own = settings.buildOptionsOf[version];
  const options = {
    buildOptions: own ?? settings.buildOptions,
    optionsKey: own === undefined ? 'kustomize.buildOptions' : `kustomize.buildOptions.${version}`,
  };
  if (version === '') return { program: builtIn, ...options, fingerprint: undefined };
  const path = settings.paths[version];
  if (path === undefined)
    throw new CodedError(
      'render/failed',
      `source.kustomize.version: there is no kustomize "${version}"; ${known(settings)}`,
    );
  const key = `argocd-cm: kustomize.path.${version}`;
  if (!isAbsolute(path)) throw new CodedError('render/tool-missing', `${key}: "${path}" is no absolute path`);
  const file = await stat(path).catch(() => undefined);
  if (file?.isFile() !== true) throw new CodedError('render/tool-missing', `${key}: there is no program ${path}`);
  await access(path, constants.X_OK).catch(() => {
    throw new CodedError('render/tool-missing', `${key}: ${path} may not be executed`);
  });
  return {
    program: { command: path, args: ['build'] },
    ...options,
    fingerprint: `${path}:${file.size}:${file.mtimeMs}`,
  };
}

/** Says whether a kustomize tells charts about the cluster: it has options for that since 5.3 (contract 12.4). */
export type TellsCluster = (program: KustomizeProgram) => Promise<boolean>;

type Ports = Readonly<{ run: (run: ToolRun, signal: AbortSignal) => Promise<ToolResult>; runsDir: string }>;

/** Asks each program once. The built-in one is known to be new enough. */
export function rememberTellsCluster({ run, runsDir }: Ports): TellsCluster {
  const answers = new LRUCache<string, Promise<boolean>>({ max: 100 });
  const ask = (program: ToolCommand): Promise<boolean> =>
    withToolFolder(runsDir, async (home) => {
      // Its version says less: one that somebody built himself has none.
      const asked = { tool: 'kustomize', program, args: ['--help'], cwd: home, home, network: 'none' } as const;
      const result = await run(asked, AbortSignal.timeout(10_000));
      return result.kind === 'ok' && result.stdout.includes('--helm-kube-version');
    });
  return ({ program, fingerprint }) => {
    if (fingerprint === undefined) return Promise.resolve(true);
    const answer = answers.get(fingerprint) ?? ask(program);
    answers.set(fingerprint, answer);
    // A program that could not be asked is asked again.
    answer.catch(() => answers.delete(fingerprint));
    return answer;
  };
}
