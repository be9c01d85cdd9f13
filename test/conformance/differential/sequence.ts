import { at, isRecord } from '@tiphys/api';
import type { Answer, Call } from './api.ts';
import { metadataFields, type Field, type TestedKind } from './kinds/field.ts';
import type { Random } from './random.ts';

type Fields = Record<string, unknown>;

/** A step of a sequence: what to ask, given what a server answered last for this object. */
export type Step = Readonly<{ text: string; call: (live: Fields | undefined) => Call }>;

/** The path of a kind's objects. */
export function pathOf(kind: TestedKind, namespace: string, name = ''): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const scope = kind.namespaced ? `/namespaces/${namespace}` : '';
  return `${root}${scope}/${kind.plural}${name === '' ? '' : `/${name}`}`;
}

function put(target: Fields, path: readonly string[], value: unknown): void {
  let here = target;
  for (const key of path.slice(0, -1)) {
    const next = here[key];
    const made: Fields = isRecord(next) ? next : {};
    here[key] = made;
    here = made;
  }
  const last = path.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(here, last);
  else here[last] = structuredClone(value);
}

const managers = ['alpha', 'beta', 'kubectl'];

/** The object that a sequence is about. */
export type Subject = Readonly<{ kind: TestedKind; namespace: string; name: string }>;

const identity = ({ kind, name, namespace }: Subject): Fields => ({
  apiVersion: kind.apiVersion,
  kind: kind.kind,
  metadata: { name, ...(kind.namespaced && { namespace }) },
});

function fullObject(subject: Subject, random: Random): Fields {
  const object = { ...identity(subject), ...structuredClone(subject.kind.base(random)) };
  for (const field of random.some([...subject.kind.fields, ...metadataFields], 0.12))
    put(object, field.path, field.value(random));
  return object;
}

const pickFields = (kind: TestedKind, random: Random): Field[] =>
  Array.from({ length: 1 + random.below(3) }, () => random.pick(random.chance(0.15) ? metadataFields : kind.fields));

const query = (parts: Record<string, string>): string => `?${new URLSearchParams(parts).toString()}`;

function create(subject: Subject, random: Random): Step {
  const object = fullObject(subject, random);
  const path =
    pathOf(subject.kind, subject.namespace) + query({ fieldManager: random.pick(managers), ...strictness(random) });
  return { text: 'create', call: () => ({ method: 'POST', path, body: object }) };
}

const strictness = (random: Random): Record<string, string> => ({
  fieldValidation: random.pick(['Ignore', 'Ignore', 'Warn', 'Strict']),
  ...(random.chance(0.12) && { dryRun: 'All' }),
});

function update(subject: Subject, random: Random): Step {
  const changes = pickFields(subject.kind, random).map(({ path, value }) => ({
    path,
    value: random.chance(0.25) ? undefined : value(random),
  }));
  const path =
    pathOf(subject.kind, subject.namespace, subject.name) +
    query({ fieldManager: random.pick(managers), ...strictness(random) });
  const fresh = fullObject(subject, random);
  return {
    text: 'update',
    call: (live) => {
      const object = structuredClone(live ?? fresh);
      for (const change of changes) put(object, change.path, change.value);
      return { method: 'PUT', path, body: object };
    },
  };
}

function apply(subject: Subject, random: Random): Step {
  const { kind } = subject;
  const object = random.chance(0.6)
    ? { ...identity(subject), ...structuredClone(kind.base(random)) }
    : identity(subject);
  for (const { path, value } of pickFields(kind, random)) put(object, path, value(random));
  const manager = random.pick(managers);
  const force = random.chance(0.4);
  const path =
    pathOf(kind, subject.namespace, subject.name) +
    query({ fieldManager: manager, force: String(force), ...strictness(random) });
  return {
    text: `server-side apply by ${manager}${force ? ', forced' : ''}`,
    call: () => ({ method: 'PATCH', path, contentType: 'application/apply-patch+yaml', body: object }),
  };
}

function merge(subject: Subject, random: Random): Step {
  const strategic = subject.kind.custom === undefined && random.chance(0.5);
  const patch: Fields = {};
  for (const { path, value } of pickFields(subject.kind, random))
    put(patch, path, random.chance(0.2) ? null : value(random));
  const target =
    pathOf(subject.kind, subject.namespace, subject.name) +
    query({ fieldManager: random.pick(managers), ...strictness(random) });
  const contentType = strategic ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';
  return {
    text: strategic ? 'strategic merge' : 'merge',
    call: () => ({ method: 'PATCH', path: target, contentType, body: patch }),
  };
}

/** Directives of strategic merge on the lists that all workloads have. */
function directives(subject: Subject, random: Random): Step {
  const prefix = subject.kind.fields.find(({ path }) => path.at(-1) === 'containers')?.path;
  if (prefix === undefined) return merge(subject, random);
  const key = 'containers';
  const body = random.pick<Fields>([
    { [key]: [{ name: 'side', image: 'busybox' }] },
    { [key]: [{ name: 'side', $patch: 'delete' }] },
    {
      [key]: [{ name: 'main', image: 'nginx:2', ports: [{ containerPort: 80, name: 'web' }] }],
      [`$setElementOrder/${key}`]: [{ name: 'side' }, { name: 'main' }],
    },
    {
      [key]: [
        {
          name: 'main',
          env: [
            { name: 'Z', value: 'z' },
            { name: 'A', $patch: 'delete' },
          ],
        },
      ],
    },
    { [key]: [{ $patch: 'replace' }, { name: 'main', image: 'nginx' }] },
    { securityContext: { $patch: 'replace', runAsUser: 7 } },
    { nodeSelector: { $patch: 'delete' } },
    { volumes: [{ name: 'config', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] },
    { tolerations: [{ key: 'new', operator: 'Exists' }] },
    { [key]: [{ image: 'no-name' }] },
  ]);
  const patch: Fields = {};
  put(patch, prefix.slice(0, -1), body);
  const path = pathOf(subject.kind, subject.namespace, subject.name) + query({ fieldManager: random.pick(managers) });
  return {
    text: 'strategic merge with directives',
    call: () => ({ method: 'PATCH', path, contentType: 'application/strategic-merge-patch+json', body: patch }),
  };
}

function jsonPatch(subject: Subject, random: Random): Step {
  const operations = pickFields(subject.kind, random).map(({ path, value }) => {
    const pointer = `/${path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`;
    const op = random.pick(['add', 'add', 'replace', 'remove', 'test']);
    return op === 'remove' ? { op, path: pointer } : { op, path: pointer, value: value(random) ?? null };
  });
  const path = pathOf(subject.kind, subject.namespace, subject.name) + query({ fieldManager: random.pick(managers) });
  return {
    text: `JSON patch ${operations.map(({ op }) => op).join(', ')}`,
    call: () => ({ method: 'PATCH', path, contentType: 'application/json-patch+json', body: operations }),
  };
}

/** Kinds with a `scale`. */
const scaled = new Set(['Deployment', 'StatefulSet', 'ReplicaSet', 'Widget']);

function scale(subject: Subject, random: Random): Step {
  const target = `${pathOf(subject.kind, subject.namespace, subject.name)}/scale`;
  const path = target + query({ fieldManager: random.pick(managers), ...strictness(random) });
  const replicas = random.pick([0, 1, 4, -1]);
  return random.pick<Step>([
    { text: 'read scale', call: () => ({ method: 'GET', path: target }) },
    {
      text: 'merge into scale',
      call: () => ({
        method: 'PATCH',
        path,
        contentType: 'application/merge-patch+json',
        body: { spec: { replicas } },
      }),
    },
    {
      text: 'update scale',
      call: (live) => ({
        method: 'PUT',
        path,
        body: {
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          metadata: { name: subject.name, namespace: at(live, 'metadata', 'namespace') ?? subject.namespace },
          spec: { replicas },
        },
      }),
    },
  ]);
}

/** Deletes with conditions that hold or do not. */
function conditionalRemove(subject: Subject, random: Random): Step {
  const path = pathOf(subject.kind, subject.namespace, subject.name);
  const kind = random.pick(['version', 'stale version', 'uid', 'other uid', 'dry run', 'grace', 'bad policy']);
  return {
    text: `delete with ${kind}`,
    call: (live) => {
      const metadata = (field: string): unknown => at(live, 'metadata', field);
      const options: Readonly<Record<string, Fields>> = {
        version: { preconditions: { resourceVersion: metadata('resourceVersion') ?? '1' } },
        'stale version': { preconditions: { resourceVersion: '1' } },
        uid: { preconditions: { uid: metadata('uid') ?? 'x' } },
        'other uid': { preconditions: { uid: 'other' } },
        'dry run': { dryRun: ['All'] },
        grace: { gracePeriodSeconds: 0 },
        'bad policy': { propagationPolicy: 'Sometimes' },
      };
      return { method: 'DELETE', path, body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options[kind] } };
    },
  };
}

function removeCollection(subject: Subject, random: Random): Step {
  const selector = random.pick(['', 'app=x', 'tier', 'app notin (y)']);
  const dryRun = random.chance(0.3) ? { dryRun: 'All' } : {};
  const fieldSelector = `metadata.name=${subject.name}`;
  const path = pathOf(subject.kind, subject.namespace) + query({ fieldSelector, labelSelector: selector, ...dryRun });
  return { text: `delete collection ${selector}`, call: () => ({ method: 'DELETE', path }) };
}

function list(subject: Subject, random: Random): Step {
  const fieldSelector = `metadata.name=${subject.name}`;
  const more = random.pick([{}, { limit: '1' }, { labelSelector: 'app=x' }, { resourceVersion: '0' }]);
  const accept = random.pick([
    'application/json',
    'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
    'application/yaml;q=0.1,application/json',
  ]);
  const path = pathOf(subject.kind, subject.namespace) + query({ fieldSelector, ...more });
  return { text: 'list', call: () => ({ method: 'GET', path, accept }) };
}

/** What a client may get wrong. */
function wrong(subject: Subject, random: Random): Step {
  const path = pathOf(subject.kind, subject.namespace, subject.name);
  const collection = pathOf(subject.kind, subject.namespace);
  const merge = 'application/merge-patch+json';
  const calls: Readonly<Record<string, Call>> = {
    'broken JSON': {
      method: 'POST',
      path: collection,
      text: random.pick(['{"a":', '{a}', '[1,2', 'nonsense', '{"a":1}}']),
    },
    'broken patch': {
      method: 'PATCH',
      path,
      contentType: merge,
      text: random.pick(['{', '{"a":tru}', '"text"', '[]']),
    },
    'wrong media type': { method: 'POST', path: collection, contentType: 'text/plain', text: '{}' },
    'wrong patch type': { method: 'PATCH', path, contentType: 'application/json', text: '{}' },
    'empty body': { method: 'POST', path: collection, text: '{}' },
    'other kind': {
      method: 'POST',
      path: collection,
      body: { apiVersion: 'v1', kind: 'Nothing', metadata: { name: 'x' } },
    },
    'other version': {
      method: 'POST',
      path: collection,
      body: { ...identity(subject), apiVersion: 'example.com/v9' },
    },
    'other name': {
      method: 'PUT',
      path,
      body: { ...identity(subject), metadata: { name: 'other' } },
    },
    'unknown subresource': { method: 'GET', path: `${path}/nothing` },
    'unknown method': { method: 'POST', path, body: identity(subject) },
    'bad dry run': { method: 'POST', path: `${collection}?dryRun=Some`, body: identity(subject) },
    'bad validation': { method: 'POST', path: `${collection}?fieldValidation=Maybe`, body: identity(subject) },
    'bad limit': { method: 'GET', path: `${collection}?limit=x` },
    'bad version': { method: 'GET', path: `${collection}?resourceVersion=x` },
    'bad selector': { method: 'GET', path: `${collection}?fieldSelector=spec.nothing%3Dx` },
    'bad match': { method: 'GET', path: `${collection}?resourceVersionMatch=Exact` },
    'no manager': {
      method: 'PATCH',
      path,
      contentType: 'application/apply-patch+yaml',
      body: identity(subject),
    },
    'managed fields applied': {
      method: 'PATCH',
      path: `${path}?fieldManager=alpha`,
      contentType: 'application/apply-patch+yaml',
      body: { ...identity(subject), metadata: { name: subject.name, managedFields: [{}] } },
    },
  };
  // Without a name a Service is refused for an address that it was about to get; a custom resource may be posted by name.
  const untold: Readonly<Record<string, string>> = { Service: 'empty body', Widget: 'unknown method' };
  const name = random.pick(Object.keys(calls).filter((one) => one !== untold[subject.kind.kind]));
  return { text: name, call: () => calls[name] ?? { method: 'GET', path } };
}

function status(subject: Subject, random: Random): Step {
  const path = `${pathOf(subject.kind, subject.namespace, subject.name)}/status${query({ fieldManager: random.pick(managers) })}`;
  const body = {
    metadata: { labels: { through: 'status' } },
    status: subject.kind.custom === true ? { ready: random.chance(0.5) } : {},
  };
  return {
    text: 'merge into status',
    call: () => ({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body }),
  };
}

function remove(subject: Subject, random: Random): Step {
  const propagationPolicy = random.pick(['Background', 'Foreground', 'Orphan', undefined]);
  const path = pathOf(subject.kind, subject.namespace, subject.name);
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(propagationPolicy !== undefined && { propagationPolicy }),
  };
  return { text: `delete ${propagationPolicy ?? ''}`, call: () => ({ method: 'DELETE', path, body }) };
}

/** A sequence of requests on one object, the first of which mostly makes it. */
export function sequenceOf(subject: Subject, random: Random): Step[] {
  const first = random.pick([create, create, create, apply, apply, update, merge]);
  const others = [
    create,
    update,
    update,
    update,
    apply,
    apply,
    apply,
    apply,
    merge,
    merge,
    merge,
    directives,
    jsonPatch,
    jsonPatch,
    remove,
  ];
  others.push(conditionalRemove, removeCollection, list, wrong, wrong);
  if (subject.kind.hasStatus === true) others.push(status);
  if (scaled.has(subject.kind.kind)) others.push(scale, scale, scale);
  return [first, ...Array.from({ length: 3 + random.below(6) }, () => random.pick(others))].map((make) =>
    make(subject, random),
  );
}

/** The object that a server has; undefined when it has none. */
export const objectIn = ({ code, body }: Answer): Fields | undefined =>
  code === 200 && isRecord(body) && at(body, 'kind') !== 'Status' ? body : undefined;
