import { CodedError } from '@tiphys/api';

/** What `kustomize.buildOptions` may say. */
export type BuildOptions = Readonly<{
  args: readonly string[];
  helm: boolean;
  /** Where files may be loaded from: only below the kustomization that names them, or from anywhere in the repository. */
  loads: 'below' | 'repository';
}>;

const loadRestrictor = '--load-restrictor';

/**
 * Options that neither run other programs nor open files outside the private folder, with the values that are allowed. That nothing
 * outside is opened without the restrictor is for free-loading.ts.
 */
const allowed: Readonly<Record<string, RegExp>> = {
  '--enable-helm': /^(?:true|false)?$/,
  '--reorder': /^(?:legacy|none)$/,
  [loadRestrictor]: /^LoadRestrictions(?:RootOnly|None)$/,
};

/**
 * Reads the words of `kustomize.buildOptions`, or of those of one version; `key` is what errors call it.
 * @throws CodedError render/unsupported naming the option
 */
export function parseBuildOptions(words: readonly string[], key: string): BuildOptions {
  const args: string[] = [];
  let helm = false;
  let loads: BuildOptions['loads'] = 'below';
  for (let at = 0; at < words.length; at += 1) {
    const [option = '', written] = (words[at] ?? '').split('=', 2);
    const rule = allowed[option];
    const next = words[at + 1];
    const takesNext = written === undefined && rule?.test('') === false && next !== undefined;
    const value = written ?? (takesNext ? next : '');
    if (takesNext) at += 1;
    if (rule?.test(value) !== true)
      throw new CodedError(
        'render/unsupported',
        `${key}: ${[option, value].filter((part) => part !== '').join(' ')} is not allowed; allowed are ${Object.keys(allowed).join(', ')}`,
      );
    if (option === loadRestrictor) loads = value === 'LoadRestrictionsNone' ? 'repository' : 'below';
    if (option === '--enable-helm') helm = value !== 'false';
    args.push(value === '' ? option : `${option}=${value}`);
  }
  return { args, helm, loads };
}
