import { at, isRecord, listAt, matchesSelector, stringAt, type KubeObject } from '@tiphys/api';
import { sameJson } from '../../patch/same-json.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { User } from '../http/exchange.ts';

/** What somebody wants to do. */
export type Attempt =
  | Readonly<{
      kind: 'resource';
      verb: string;
      group: string;
      resource: string;
      subresource: string;
      namespace: string;
      name: string;
    }>
  | Readonly<{ kind: 'path'; verb: string; path: string }>;

/** `why`: which binding allows it, or which role could not be found; empty when there is nothing to say. */
export type Permission = Readonly<{ allowed: boolean; why: string }>;

const bindingsOfCluster = 'clusterrolebindings.rbac.authorization.k8s.io';
const bindingsOfNamespace = 'rolebindings.rbac.authorization.k8s.io';
const clusterRoles = 'clusterroles.rbac.authorization.k8s.io';
const roles = 'roles.rbac.authorization.k8s.io';

const accountPrefix = 'system:serviceaccount:';

function isSubject(subject: unknown, user: User, namespace: string): boolean {
  const name = stringAt(subject, 'name') ?? '';
  switch (at(subject, 'kind')) {
    case 'User':
      return user.name === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount':
      return user.name === `${accountPrefix}${stringAt(subject, 'namespace') ?? namespace}:${name}`;
    default:
      return false;
  }
}

const has = (rule: unknown, field: string, value: string): boolean => {
  const list = listAt(rule, field);
  return list.includes('*') || list.includes(value);
};

function coversResource(rule: unknown, { resource, subresource }: Attempt & { kind: 'resource' }): boolean {
  const list = listAt(rule, 'resources');
  if (list.includes('*')) return true;
  if (subresource === '') return list.includes(resource);
  return list.includes(`${resource}/${subresource}`) || list.includes(`*/${subresource}`);
}

function coversPath(rule: unknown, path: string): boolean {
  return listAt(rule, 'nonResourceURLs').some((pattern) => {
    if (typeof pattern !== 'string') return false;
    return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
  });
}

/** Whether one rule of a role allows an attempt. */
export function allows(rule: unknown, attempt: Attempt): boolean {
  if (!has(rule, 'verbs', attempt.verb)) return false;
  if (attempt.kind === 'path') return coversPath(rule, attempt.path);
  if (!has(rule, 'apiGroups', attempt.group) || !coversResource(rule, attempt)) return false;
  const names = listAt(rule, 'resourceNames');
  return names.length === 0 || names.includes(attempt.name);
}

type Granted = Readonly<{
  binding: KubeObject;
  subject: unknown;
  rules: readonly unknown[];
  missing: string | undefined;
}>;

/** The role that a binding binds to; undefined when it is not there. */
export function roleOf(store: ObjectStore, binding: KubeObject, namespace: string): KubeObject | undefined {
  const name = stringAt(binding, 'roleRef', 'name') ?? '';
  const isCluster = at(binding, 'roleRef', 'kind') === 'ClusterRole';
  return store.get(isCluster ? { resource: clusterRoles, namespace: '', name } : { resource: roles, namespace, name });
}

function grantedBy(store: ObjectStore, binding: KubeObject, user: User): Granted | undefined {
  const { namespace = '' } = binding.metadata;
  const subject = listAt(binding, 'subjects').find((one) => isSubject(one, user, namespace));
  if (subject === undefined) return undefined;
  const name = stringAt(binding, 'roleRef', 'name') ?? '';
  const isCluster = at(binding, 'roleRef', 'kind') === 'ClusterRole';
  const role = roleOf(store, binding, namespace);
  const kind = isCluster ? 'clusterrole' : 'role';
  const missing =
    role === undefined ? `${kind}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found` : undefined;
  return { binding, subject, rules: listAt(role, 'rules'), missing };
}

/** Everything that a user is granted in the whole cluster and, when one is named, in a namespace. */
function granted(store: ObjectStore, user: User, namespace: string): readonly Granted[] {
  const bindings = [
    ...store.list(bindingsOfCluster),
    ...(namespace === '' ? [] : store.list(bindingsOfNamespace, namespace)),
  ];
  return bindings.flatMap((binding) => grantedBy(store, binding, user) ?? []);
}

/** The rules that hold for a user in a namespace. */
export const rulesFor = (store: ObjectStore, user: User, namespace: string): readonly unknown[] =>
  granted(store, user, namespace).flatMap(({ rules }) => rules);

function reasonOf({ binding, subject }: Granted): string {
  const scope =
    binding.kind === 'RoleBinding'
      ? `${binding.metadata.name ?? ''}/${binding.metadata.namespace ?? ''}`
      : (binding.metadata.name ?? '');
  const role = `${String(at(binding, 'roleRef', 'kind'))} ${JSON.stringify(at(binding, 'roleRef', 'name'))}`;
  const who = stringAt(subject, 'name') ?? '';
  const whom = at(subject, 'kind') === 'ServiceAccount' ? `${who}/${stringAt(subject, 'namespace') ?? ''}` : who;
  return `RBAC: allowed by ${binding.kind} ${JSON.stringify(scope)} of ${role} to ${String(at(subject, 'kind'))} ${JSON.stringify(whom)}`;
}

/** Whether a user may do something, by the roles that are bound to it. `system:masters` may do everything. */
export function permission(store: ObjectStore, user: User, attempt: Attempt): Permission {
  if (user.groups.includes('system:masters')) return { allowed: true, why: '' };
  const grants = granted(store, user, attempt.kind === 'resource' ? attempt.namespace : '');
  const found = grants.find(({ rules }) => rules.some((rule) => allows(rule, attempt)));
  if (found !== undefined) return { allowed: true, why: reasonOf(found) };
  const missing = grants.flatMap((grant) => grant.missing ?? []);
  if (missing.length === 0) return { allowed: false, why: '' };
  return { allowed: false, why: `RBAC: ${missing.length === 1 ? missing.join('') : `[${missing.join(', ')}]`}` };
}

/** The rules of a role that is the sum of others, in the order of their names, each once. */
export function aggregatedRules(role: KubeObject, all: readonly KubeObject[]): readonly unknown[] {
  const selectors = listAt(role, 'aggregationRule', 'clusterRoleSelectors');
  const rules: unknown[] = [];
  const members = all
    .filter((other) => other.metadata.name !== role.metadata.name)
    .filter((other) =>
      selectors.some((selector) => isRecord(selector) && matchesSelector(selector, other.metadata.labels)),
    );
  for (const member of members.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)))
    for (const rule of listAt(member, 'rules')) if (!rules.some((known) => sameJson(known, rule))) rules.push(rule);
  return rules;
}
