import { createHash, timingSafeEqual } from 'node:crypto';
import type { Attempt } from '../authorization/rules.ts';
import { permission } from '../authorization/rules.ts';
import type { ServiceAccountTokens } from '../authorization/service-account-tokens.ts';
import { Refusal, unauthorized } from '../refusal.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { User } from './exchange.ts';

/** Tokens and who they stand for. */
export type Tokens = ReadonlyMap<string, User>;

/** What requests are authenticated with. */
export type Authenticator = Readonly<{ tokens: Tokens; accounts: ServiceAccountTokens }>;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

const authenticated = 'system:authenticated';

/** Whom a bearer token stands for. */
export function userOf(token: string, { tokens, accounts }: Authenticator): User | undefined {
  const given = digest(token);
  for (const [known, user] of tokens)
    if (timingSafeEqual(given, digest(known))) return { ...user, groups: [...user.groups, authenticated] };
  return accounts.read(token);
}

/**
 * The user of a request: by bearer token, or nobody when there is none.
 * @throws Refusal 401 for a token that is not known
 */
export function authenticate(authorization: string, authenticator: Authenticator): User {
  const bearer = /^bearer\s+(\S+)$/i.exec(authorization)?.[1];
  if (bearer === undefined) {
    if (authorization === '') return anonymous;
    throw unauthorized();
  }
  const user = userOf(bearer, authenticator);
  if (user === undefined) throw unauthorized();
  return user;
}

function sentence(user: User, attempt: Attempt): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${attempt.verb}`;
  if (attempt.kind === 'path') return `${who} path ${JSON.stringify(attempt.path)}`;
  const { resource, subresource, group, namespace } = attempt;
  const text = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} resource ${JSON.stringify(text)} in API group ${JSON.stringify(group)} ${scope}`;
}

function forbiddenTo(user: User, attempt: Attempt, why: string): Refusal {
  const ending = why === '' ? '' : `: ${why}`;
  if (attempt.kind === 'path')
    return new Refusal({
      code: 403,
      reason: 'Forbidden',
      message: `forbidden: ${sentence(user, attempt)}${ending}`,
      details: {},
    });
  const { resource, group, name } = attempt;
  const what = `${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` ${JSON.stringify(name)}`}`;
  return new Refusal({
    code: 403,
    reason: 'Forbidden',
    message: `${what} is forbidden: ${sentence(user, attempt)}${ending}`,
    details: { ...(name !== '' && { name }), ...(group !== '' && { group }), kind: resource },
  });
}

/**
 * Lets a request pass when a role that is bound to its user allows it.
 * @throws Refusal 403
 */
export function authorize(store: ObjectStore, user: User, attempt: Attempt): void {
  const { allowed, why } = permission(store, user, attempt);
  if (!allowed) throw forbiddenTo(user, attempt, why);
}

/** A header of a request; several values as they came. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const valuesOf = (headers: Headers, name: string): readonly string[] => {
  const value = headers[name];
  if (value === undefined) return [];
  // Node joins repeated headers of unknown names with a comma.
  return typeof value === 'string' ? value.split(',').map((one) => one.trim()) : value;
};

const accountName = /^system:serviceaccount:([^:]+):([^:]+)$/;

const impersonation = (
  group: string,
  resource: string,
  place: Readonly<{ name: string; namespace?: string }>,
): Attempt => ({
  kind: 'resource',
  verb: 'impersonate',
  group,
  resource,
  subresource: '',
  namespace: place.namespace ?? '',
  name: place.name,
});

/**
 * The user that a request is to count as: its own, or the one that its Impersonate headers name.
 * @throws Refusal 403 when its own user may not speak for that one
 */
export function impersonated(store: ObjectStore, user: User, headers: Headers): User {
  const [name] = valuesOf(headers, 'impersonate-user');
  const groups = valuesOf(headers, 'impersonate-group');
  if (name === undefined) {
    if (groups.length === 0) return user;
    throw new Refusal({
      code: 500,
      reason: 'InternalError',
      message: `Internal error occurred: requested [{Group  ${groups[0] ?? ''}}] without impersonating a user`,
    });
  }
  const [, namespace, account] = accountName.exec(name) ?? [];
  const asUser =
    namespace === undefined || account === undefined
      ? impersonation('', 'users', { name })
      : impersonation('', 'serviceaccounts', { name: account, namespace });
  authorize(store, user, asUser);
  for (const group of groups) authorize(store, user, impersonation('', 'groups', { name: group }));
  const own = namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const all = groups.length > 0 ? groups : own;
  return { name, groups: all.includes(authenticated) || name === anonymous.name ? all : [...all, authenticated] };
}
