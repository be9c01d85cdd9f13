import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CodedError } from '@tiphys/api';
import { type Environment, programRoot } from './config.ts';

/** How the render tools are called. */
export type ToolPaths = Readonly<{
  helm: string;
  kustomize: Readonly<{ command: string; args: readonly string[] }>;
  /** The same as long as the very same programs are used; part of every render's key. */
  versions: string;
}>;

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

function locate(name: string, override: string | undefined, path: string): string | undefined {
  if (override !== undefined && override !== '') return override;
  const pinned = join(programRoot, '.cache', 'tools', name);
  if (isExecutable(pinned)) return pinned;
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Asking a program for its version costs more than a render is allowed to wait; its file tells as much. */
function fingerprint(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${path}:${size}:${mtimeMs}`;
}

/**
 * Finds helm and kustomize: the override, then the pinned ones that set-up fetched, then PATH.
 * @throws CodedError render/tool-missing that says how to get them
 */
export function findTools(environment: Environment): ToolPaths {
  const helm = locate('helm', environment.helm, environment.path);
  const kustomize = locate('kustomize', environment.kustomize, environment.path);
  const kubectl = locate('kubectl', undefined, environment.path);
  if (helm === undefined || (kustomize ?? kubectl) === undefined)
    throw new CodedError(
      'render/tool-missing',
      `${helm === undefined ? 'helm' : 'kustomize'} was not found; run "npm start" once in the clone, or set TIPHYS_HELM and TIPHYS_KUSTOMIZE`,
    );
  const builder = kustomize ?? kubectl ?? '';
  return {
    helm,
    kustomize: { command: builder, args: [kustomize === undefined ? 'kustomize' : 'build'] },
    versions: [helm, builder].map(fingerprint).join(' '),
  };
}
