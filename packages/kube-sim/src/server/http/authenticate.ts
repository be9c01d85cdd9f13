import { createHash, timingSafeEqual } from 'node:crypto';
import { unauthorized } from '../refusal.ts';
import { StatusError } from '../../schema/status-error.ts';
import type { User } from './exchange.ts';

/** Tokens and who they stand for. */
export type Tokens = ReadonlyMap<string, User>;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * The user of a request: by bearer token, or nobody when there is none.
 * @throws Refusal 401 for a token that is not known
 */
export function authenticate(authorization: string, tokens: Tokens): User {
  const bearer = /^bearer\s+(\S+)$/i.exec(authorization)?.[1];
  if (bearer === undefined) {
    if (authorization === '') return anonymous;
    throw unauthorized();
  }
  const given = digest(bearer);
  for (const [token, user] of tokens) if (timingSafeEqual(given, digest(token))) return user;
  throw unauthorized();
}

/** Paths that everybody may read, as the API server's default roles have it. */
const open = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/']);

/**
 * Nobody may do nothing but ask whether the server lives; everybody else may do everything.
 * @throws StatusError 403
 */
export function authorize(user: User, method: string, path: string): void {
  if (user !== anonymous || open.has(path)) return;
  const verb = method.toLowerCase();
  throw new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}`,
  });
}
