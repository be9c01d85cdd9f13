import { isRecord, parseJson, stringifyJson } from '@tiphys/api';

/** Where the next page starts: after this key, in the state of this revision. */
export type ContinueToken = Readonly<{ revision: number; after: string }>;

/** The opaque text of a token. */
export const formatContinueToken = ({ revision, after }: ContinueToken): string =>
  Buffer.from(stringifyJson({ v: 'sim/v1', rv: revision, start: after })).toString('base64url');

/** Reads a token; undefined when it is not one of ours. */
export function parseContinueToken(text: string): ContinueToken | undefined {
  try {
    const value = parseJson(Buffer.from(text, 'base64url').toString());
    if (!isRecord(value) || typeof value['rv'] !== 'number' || typeof value['start'] !== 'string') return undefined;
    return { revision: value['rv'], after: value['start'] };
  } catch {
    return undefined;
  }
}
