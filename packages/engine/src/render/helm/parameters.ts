import type { HelmSource } from '@tiphys/api';
import { type BuildEnvironment, substitute } from '../build-environment.ts';

/**
 * A value as `--set` takes it as one value: commas in it are escaped, except in a list (`{a,b}`), and those that are escaped
 * already stay so.
 */
export const escapeCommas = (value: string): string =>
  value.startsWith('{') && value.endsWith('}') ? value : value.replace(/(?<!\\),/g, String.raw`\,`);

/** The `--set` and `--set-string` arguments of a source; of two parameters with one name the last counts. */
export function parameterArguments({ parameters = [] }: HelmSource, environment: BuildEnvironment): readonly string[] {
  const byFlag = { '--set': new Map<string, string>(), '--set-string': new Map<string, string>() };
  for (const { name = '', value = '', forceString = false } of parameters)
    byFlag[forceString ? '--set-string' : '--set'].set(name, escapeCommas(substitute(value, environment)));
  return Object.entries(byFlag).flatMap(([flag, values]) =>
    [...values].map(([name, value]) => `${flag}=${name}=${value}`),
  );
}
