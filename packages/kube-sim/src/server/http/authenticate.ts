import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal, unauthorized } from '../refusal.ts';
import type { User } from './exchange.ts';
import { parseResourcePath, type ResourcePath } from './request-info.ts';

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

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function resourceMessage(user: User, method: string, path: ResourcePath): string {
  const { plural, group, namespace, name, subresource } = path;
  const collection = name === '' ? { get: 'list', delete: 'deletecollection' } : {};
  const plain = verbs[method] ?? method.toLowerCase();
  const verb = new Map<string, string>(Object.entries(collection)).get(plain) ?? plain;
  const what = `${plural}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` ${JSON.stringify(name)}`}`;
  const resource = subresource === '' ? plural : `${plural}/${subresource}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${what} is forbidden: User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} ${scope}`;
}

/**
 * Nobody may do nothing but ask whether the server lives; everybody else may do everything.
 * @throws Refusal 403
 */
export function authorize(user: User, method: string, path: string): void {
  if (user !== anonymous || open.has(path)) return;
  const resource = parseResourcePath(path);
  const message =
    resource === undefined
      ? `forbidden: User ${JSON.stringify(user.name)} cannot ${verbs[method] ?? method.toLowerCase()} path ${JSON.stringify(path)}`
      : resourceMessage(user, method, resource);
  const { group = '', plural: kind, name = '' } = resource ?? { plural: undefined };
  const details = {
    ...(name !== '' && { name }),
    ...(group !== '' && { group }),
    ...(kind !== undefined && { kind }),
  };
  throw new Refusal({ code: 403, reason: 'Forbidden', message, details });
}
