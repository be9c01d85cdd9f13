import { isRecord, parseJson, stringifyJson } from '@tiphys/api';
import { jsonFault } from '../schema/json-syntax.ts';

/** Where the next page starts: after this key, in the state of this revision. */
export type ContinueToken = Readonly<{ revision: number; after: string }>;

/** A token that cannot be read; the message says why, in the words of the API server. */
export class TokenFault extends Error {}

const version = 'meta.k8s.io/v1';

/** The opaque text of a token. */
export const formatContinueToken = ({ revision, after }: ContinueToken): string =>
  Buffer.from(stringifyJson({ v: version, rv: revision, start: `${after}\0` })).toString('base64url');

/**
 * Reads a token.
 * @throws TokenFault
 */
export function parseContinueToken(text: string): ContinueToken {
  const wrong = /[^A-Za-z0-9_-]/.exec(text)?.index;
  if (wrong !== undefined || text.length % 4 === 1)
    throw new TokenFault(`illegal base64 data at input byte ${wrong ?? text.length - 1}`);
  const bytes = Buffer.from(text, 'base64url');
  // Go reads bytes and shows the first one that does not fit; a byte of its own is a character of Latin-1.
  const fault = jsonFault(bytes.toString('latin1'));
  if (fault !== undefined) throw new TokenFault(fault);
  const value = parseJson(bytes.toString());
  const token = isRecord(value) ? value : {};
  const { v, rv, start } = token;
  if (v !== version)
    throw new TokenFault(`server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
  if (rv === undefined || rv === 0)
    throw new TokenFault(`incorrect encoded start resourceVersion (version ${version})`);
  if (typeof start !== 'string' || start === '') throw new TokenFault(`encoded start key empty (version ${version})`);
  return { revision: Number(rv), after: start.replace(/\0$/, '') };
}
