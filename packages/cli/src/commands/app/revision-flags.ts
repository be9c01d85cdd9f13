import { type Application, CodedError, sourcesOf } from '@tiphys/api';
import { option, options } from '../../define-command.ts';

/** The flags of a command that looks at other revisions than the configured ones. */
export type RevisionFlags = Readonly<{
  revision?: string | undefined;
  revisions: readonly string[];
  sourcePositions: readonly string[];
  sourceNames: readonly string[];
}>;

/** The arguments that `chosenRevisions` reads. */
export const revisionArguments = (doc: string) => ({
  revision: option(doc),
  revisions: options('Revision of one of several sources; with --source-positions or --source-names'),
  sourcePositions: options('Sources that the --revisions are for, from 1', { value: 'ints' }),
  sourceNames: options('The same by name', { value: 'names' }),
});

const words = (texts: readonly string[]): readonly string[] => texts.flatMap((text) => text.split(','));

function positionsOf({ spec }: Application, { sourcePositions, sourceNames }: RevisionFlags): readonly number[] {
  const sources = sourcesOf(spec);
  if (sourcePositions.length > 0 && sourceNames.length > 0)
    throw new CodedError('cli/usage', 'give --source-positions or --source-names, not both');
  const byName = words(sourceNames).map((name) => {
    const index = sources.findIndex((source) => source.name === name);
    if (index < 0) throw new CodedError('cli/usage', `--source-names: no source is called "${name}"`);
    return index;
  });
  const byPosition = words(sourcePositions).map((text) => {
    const position = Number(text);
    if (!Number.isInteger(position) || position < 1 || position > sources.length)
      throw new CodedError('cli/usage', `--source-positions: the application has sources 1 to ${sources.length}`);
    return position - 1;
  });
  return [...byName, ...byPosition];
}

/** Which source is wanted at which revision, by position from 0. @throws CodedError cli/usage */
export function chosenRevisions(application: Application, flags: RevisionFlags): ReadonlyMap<number, string> {
  if (flags.revision !== undefined) {
    if (sourcesOf(application.spec).length > 1)
      throw new CodedError('cli/usage', 'the application has several sources: use --revisions with --source-positions');
    return new Map([[0, flags.revision]]);
  }
  const positions = positionsOf(application, flags);
  if (positions.length !== flags.revisions.length)
    throw new CodedError('cli/usage', '--revisions and --source-positions (or --source-names) come in pairs');
  return new Map(positions.map((position, index) => [position, flags.revisions[index] ?? '']));
}
