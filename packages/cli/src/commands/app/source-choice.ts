import { type Application, CodedError, sourcesOf } from '@tiphys/api';

/** Which of several sources a flag names: by position from 1, or by name. */
export type SourceChoice = Readonly<{ sourcePosition?: number | undefined; sourceName?: string | undefined }>;

/**
 * The index of the source that is meant, from 0; undefined when the flags name none.
 * @throws CodedError cli/usage when there is no such source, or both flags are given
 */
export function chosenSource(
  { spec }: Pick<Application, 'spec'>,
  { sourcePosition, sourceName }: SourceChoice,
): number | undefined {
  const sources = sourcesOf(spec);
  if (sourcePosition !== undefined && sourceName !== undefined)
    throw new CodedError('cli/usage', 'give --source-position or --source-name, not both');
  if (sourceName !== undefined) {
    const index = sources.findIndex(({ name }) => name === sourceName);
    if (index >= 0) return index;
    const names = sources.flatMap(({ name = '' }) => (name === '' ? [] : [name]));
    throw new CodedError(
      'cli/usage',
      `--source-name: no source is called "${sourceName}"${names.length === 0 ? '' : `; there is ${names.join(', ')}`}`,
    );
  }
  if (sourcePosition === undefined) return undefined;
  if (sourcePosition < 1 || sourcePosition > sources.length)
    throw new CodedError('cli/usage', `--source-position: the application has sources 1 to ${sources.length}`);
  return sourcePosition - 1;
}
