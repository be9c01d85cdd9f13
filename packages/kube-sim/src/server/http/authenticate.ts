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

const authentication = 'authentication.k8s.io';

type Spoken = Readonly<{ group: string; resource: string; subresource?: string; namespace?: string; name: string }>;

const impersonation = (spoken: Spoken): Attempt => ({
  ...{ kind: 'resource', verb: 'impersonate', subresource: '', namespace: '' },
  ...spoken,
});

const extraHeader = 'impersonate-extra-';

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** What Impersonate-Extra headers say, by key. */
const extrasOf = (headers: Headers): readonly (readonly [key: string, values: readonly string[]])[] =>
  Object.keys(headers)
    .filter((name) => name.startsWith(extraHeader))
    .toSorted()
    .map((name) => [unescaped(name.slice(extraHeader.length)), valuesOf(headers, name)]);

function refuseWithoutUser(headers: Headers): void {
  const shown = [
    ...valuesOf(headers, 'impersonate-group').map((group) => `{Group  ${group}    }`),
    ...extrasOf(headers).flatMap(([key, values]) =>
      values.map((value) => `{UserExtra  ${value}  ${authentication}/v1  ${key}}`),
    ),
    ...valuesOf(headers, 'impersonate-uid').map((uid) => `{UID  ${uid}  ${authentication}/v1  }`),
  ];
  if (shown.length === 0) return;
  const message = `requested [${shown.join(' ')}] without impersonating a user`;
  throw new Refusal({ code: 400, reason: 'BadRequest', message });
}

/**
 * The user that a request is to count as: its own, or the one that its Impersonate headers name.
 * @throws Refusal 403 when its own user may not speak for that one
 */
export function impersonated(store: ObjectStore, user: User, headers: Headers): User {
  const [name] = valuesOf(headers, 'impersonate-user');
  if (name === undefined) {
    refuseWithoutUser(headers);
    return user;
  }
  const groups = valuesOf(headers, 'impersonate-group');
  const [uid] = valuesOf(headers, 'impersonate-uid');
  const extras = extrasOf(headers);
  const [, namespace, account] = accountName.exec(name) ?? [];
  const spoken: readonly Spoken[] = [
    namespace === undefined || account === undefined
      ? { group: '', resource: 'users', name }
      : { group: '', resource: 'serviceaccounts', name: account, namespace },
    ...groups.map((group) => ({ group: '', resource: 'groups', name: group })),
    ...extras.flatMap(([key, values]) =>
      values.map((value) => ({ group: authentication, resource: 'userextras', subresource: key, name: value })),
    ),
    ...(uid === undefined ? [] : [{ group: authentication, resource: 'uids', name: uid }]),
  ];
  for (const one of spoken) authorize(store, user, impersonation(one));
  const own = namespace === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const all = groups.length > 0 ? groups : own;
  return {
    name,
    ...(uid !== undefined && { uid }),
    groups: all.includes(authenticated) || name === anonymous.name ? all : [...all, authenticated],
    ...(extras.length > 0 && { extra: Object.fromEntries(extras) }),
  };
}
