import { CodedError, type HelmSource } from '@tiphys/api';
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

/**
 * A value file as an argument. Helm reads the option as a line of CSV: unquoted, what stands behind a comma in a name or URL would be
 * another file, anywhere on the host.
 */
export const valuesArgument = (file: string): string =>
  `--values=${/[",\r\n]/.test(file) ? `"${file.replaceAll('"', '""')}"` : file}`;

/**
 * A parameter with the content of a file, as one argument for one file: in this option too, a comma begins another.
 * @throws CodedError render/failed for a name that would name a file itself
 */
export function fileArgument(name: string, file: string): string {
  if (/(?<!\\)[=,]/.test(name))
    throw new CodedError(
      'render/failed',
      `source.helm.fileParameters: the name "${name}" holds a comma or equals sign`,
    );
  return `--set-file=${name}=${file.replace(/[\\,]/g, String.raw`\$&`)}`;
}
