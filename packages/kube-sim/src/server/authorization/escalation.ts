import { at, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { sameJson } from '../../patch/same-json.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { Target } from '../cluster.ts';
import type { User } from '../http/exchange.ts';
import { forbidden, notFound } from '../refusal.ts';
import { permission, roleOf, rulesFor, type Attempt } from './rules.ts';

const group = 'rbac.authorization.k8s.io';

/** One right of a rule: a single verb on a single thing. */
type Right = Readonly<{ verb: string; url?: string; group?: string; resource?: string; name?: string }>;

const texts = (rule: unknown, field: string): readonly string[] => listAt(rule, field).map(String);

/** Every single right that a rule gives. */
function rightsOf(rule: unknown): readonly Right[] {
  const verbs = texts(rule, 'verbs');
  const urls = texts(rule, 'nonResourceURLs').flatMap((url) => verbs.map((verb) => ({ verb, url })));
  const names = texts(rule, 'resourceNames');
  const resources = texts(rule, 'apiGroups').flatMap((one) =>
    texts(rule, 'resources').flatMap((resource) =>
      verbs.flatMap((verb) => {
        const right = { verb, group: one, resource };
        return names.length === 0 ? [right] : names.map((name) => ({ ...right, name }));
      }),
    ),
  );
  return [...resources, ...urls];
}

const has = (rule: unknown, field: string, value: string): boolean => {
  const list = texts(rule, field);
  return list.includes('*') || list.includes(value);
};

function covers(rule: unknown, right: Right): boolean {
  if (!has(rule, 'verbs', right.verb)) return false;
  const { url, resource = '', name } = right;
  if (url !== undefined)
    return texts(rule, 'nonResourceURLs').some(
      (own) => own === '*' || own === url || (own.endsWith('*') && url.startsWith(own.slice(0, -1))),
    );
  if (!has(rule, 'apiGroups', right.group ?? '')) return false;
  const [, subresource] = resource.split('/');
  const isListed =
    has(rule, 'resources', resource) ||
    (subresource !== undefined && texts(rule, 'resources').includes(`*/${subresource}`));
  if (!isListed) return false;
  const names = texts(rule, 'resourceNames');
  return names.length === 0 || (name !== undefined && names.includes(name));
}

const list = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** Rights as the API server lists them: one line for each thing, with all verbs. */
function linesOf(rights: readonly Right[]): readonly string[] {
  const urls = rights
    .filter(({ url }) => url !== undefined)
    .map(({ url = '', verb }) => `{NonResourceURLs:${list([url])}, Verbs:${list([verb])}}`);
  const byThing = Map.groupBy(
    rights.filter(({ url }) => url === undefined),
    (right) => {
      const name = right.name === undefined ? '' : `, ResourceNames:${list([right.name])}`;
      return `{APIGroups:${list([right.group ?? ''])}, Resources:${list([right.resource ?? ''])}${name}`;
    },
  );
  const resources = [...byThing].map(([thing, own]) => `${thing}, Verbs:${list(own.map(({ verb }) => verb))}}`);
  return [...resources, ...urls].toSorted((a, b) => (a < b ? -1 : 1));
}

type Grant = Readonly<{ target: Target; next: KubeObject; live: KubeObject | undefined }>;

const isMaster = (user: User): boolean => user.groups.includes('system:masters');

function confirm(store: ObjectStore, user: User, grant: Grant & Readonly<{ rules: readonly unknown[] }>): void {
  const { target, rules } = grant;
  const own = rulesFor(store, user, target.namespace);
  const missing = rules.flatMap(rightsOf).filter((right) => !own.some((rule) => covers(rule, right)));
  if (missing.length === 0) return;
  const who = `user ${JSON.stringify(user.name)} (groups=${list(user.groups)})`;
  throw forbidden(target.type, target.name, {
    why: `${who} is attempting to grant RBAC permissions not currently held:\n${linesOf(missing).join('\n')}`,
  });
}

const attempt = (verb: string, resource: string, place: Readonly<{ namespace: string; name: string }>): Attempt => ({
  ...{ kind: 'resource', verb, group, resource, subresource: '' },
  ...place,
});

function checkRole(store: ObjectStore, user: User, grant: Grant): void {
  const { target, next, live } = grant;
  const rules = listAt(next, 'rules');
  if (live !== undefined && sameJson(listAt(live, 'rules'), rules)) return;
  const mayEscalate = attempt('escalate', target.type.plural, target);
  if (!permission(store, user, mayEscalate).allowed) confirm(store, user, { ...grant, rules });
}

function checkBinding(store: ObjectStore, user: User, grant: Grant): void {
  const { target, next, live } = grant;
  const isSame = (field: string): boolean => sameJson(at(next, field) ?? null, at(live, field) ?? null);
  if (live !== undefined && isSame('subjects') && isSame('roleRef')) return;
  const isCluster = at(next, 'roleRef', 'kind') === 'ClusterRole';
  const name = stringAt(next, 'roleRef', 'name') ?? '';
  const plural = isCluster ? 'clusterroles' : 'roles';
  if (permission(store, user, attempt('bind', plural, { namespace: target.namespace, name })).allowed) return;
  const role = roleOf(store, next, target.namespace);
  if (role === undefined) throw notFound({ group, plural: target.type.plural }, name);
  confirm(store, user, { ...grant, rules: listAt(role, 'rules') });
}

const checks: Readonly<Record<string, typeof checkRole>> = {
  roles: checkRole,
  clusterroles: checkRole,
  rolebindings: checkBinding,
  clusterrolebindings: checkBinding,
};

/**
 * Nobody gives what he does not have: a role with more rights than one's own needs the verb `escalate`, a binding to
 * one the verb `bind`.
 * @throws Refusal 403
 */
export function checkGrant(store: ObjectStore, user: User, grant: Grant): void {
  const { type } = grant.target;
  if (type.group === group && !isMaster(user)) checks[type.plural]?.(store, user, grant);
}
