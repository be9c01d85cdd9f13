/**
 * Each field of each built-in kind is written in turn: null, empty, zero, and some values. What the API server accepts (as a dry
 * run) is compared with what it makes of it: there is no difference. Then the object is changed from one form to the other: a
 * difference is told exactly when the server makes different objects of the two, and after our patch it is the other one.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import {
  asObject,
  at,
  canonicalJson,
  describeKey,
  gvkOf,
  isRecord,
  keyOf,
  type KubeObject,
  listAt,
  parseJson,
  parseYamlDocuments,
  silentLogger,
  stringifyJson,
  systemClock,
  withTracking,
} from '@tiphys/api';
import { connect, type KubeClient, KubeError, loadKubeconfigFile } from '@tiphys/kube';
import { clientSidePatch, createdObject, sentObject } from '../sync/write/client-side-patch.ts';
import { tracking } from '../sync/write/writer.suite.ts';
import type { Difference } from './change.ts';
import { compareObject } from './compare-object.ts';
import { openTrim } from './live/live-entry.ts';
import { defaultCompareOptions } from './normalise.ts';
import {
  elementsAt,
  fieldsAt,
  type Path,
  resolved,
  type Schemas,
  type Trial,
  withAt,
  withoutAt,
} from './testing/schema-walk.ts';
import { withoutKeys } from './without-keys.ts';

let client: KubeClient;
const trim = openTrim();
const namespace = 'every-field';
before(async () => {
  const kubeconfig = process.env['TIPHYS_TEST_KUBECONFIG'];
  assert.ok(kubeconfig, 'TIPHYS_TEST_KUBECONFIG names the cluster');
  client = connect(
    loadKubeconfigFile(kubeconfig),
    { qps: 5000, burst: 5000 },
    { log: silentLogger, clock: systemClock },
  );
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});
after(async () => {
  await client.delete({ gvk: { group: '', version: 'v1', kind: 'Namespace' }, name: namespace });
  await client.close();
});

const file = new URL('testdata/every-kind.yaml', import.meta.url);
const manifests = parseYamlDocuments(await readFile(file, 'utf8')).map((one) => asObject(one));
const settings = { options: defaultCompareOptions, ignore: [] };
const dryRun = { dryRun: true, fieldManager: 'argocd-controller', fieldValidation: 'Strict' } as const;

/** Structs that stand empty or not at all, which is no difference to anybody. */
const bare =
  /\/(?:affinity|capabilities|dnsConfig|lifecycle|nodeAffinity|podAffinity|podAntiAffinity|resources|rollingUpdate|securityContext|strategy|subresources|updateStrategy)$/;

/** Fields that are left out of the walk, or whose outcome is known to be another than that of a fresh object. */
const leftOut: readonly (readonly [RegExp, why: string])[] = [
  [/^\w+ (?:apiVersion|kind|metadata|status)$/, 'compared apart, or not at all'],
  [/\.(?:managedFields|ownerReferences|status)\b/, 'bookkeeping within templates'],
  [/imagePullSecrets\.\d+\.name|^ServiceAccount secrets$/, 'a reference without a name refers to nothing'],
  [/volumes\.\d+\.image\b/, 'an image volume without a reference'],
  [/^ReplicationController spec\.selector$/, 'follows from the labels of the template'],
  [/^ResourceClaimTemplate spec\.spec$|^ResourceClaim spec\.devices$/, 'required; a null of it makes nonsense'],
];
const changedOtherwise: readonly (readonly [RegExp, why: string])[] = [
  [/^NetworkPolicy spec\b/, 'policyTypes follow from the rules when an object is created, and stay (as with kubectl)'],
  [/^CustomResourceDefinition spec\.names\.kind/, 'so do the singular name and the kind of lists'],
  [/^StatefulSet spec\.updateStrategy\.type/, 'the server adds the partition where it adds the type'],
  [/^LimitRange spec\.limits\.0\.default/, 'the request that followed from a default stays as one'],
  [/^Endpoints subsets\.0\.ports/, 'the server sorts ports'],
  [/^ResourceClaim\w* spec\b/, 'cannot be changed'],
  [/^Service spec\.type/, 'an update drops what belongs to the other type; a fresh object with it is refused'],
];
const excepted = (list: typeof leftOut, text: string): boolean => list.some(([pattern]) => pattern.test(text));

const made = new Map<string, Promise<KubeObject | undefined>>();

/** What the server makes of an object; undefined when it is refused. */
function make(object: KubeObject): Promise<KubeObject | undefined> {
  const key = canonicalJson(object);
  const known = made.get(key);
  if (known !== undefined) return known;
  const answer = client.create(object, dryRun).then(trim, (error: unknown) => {
    if (error instanceof KubeError && error.code !== 'kube/timeout') return undefined;
    throw error;
  });
  made.set(key, answer);
  return answer;
}

/** A Service without what the server allocates for it. */
function withoutAllocated(spec: unknown): unknown {
  if (!isRecord(spec)) return spec;
  const ports = listAt(spec, 'ports').map((port) => (isRecord(port) ? withoutKeys(port, 'nodePort') : port));
  const kept = spec['clusterIP'] === 'None' ? spec : withoutKeys(spec, 'clusterIP', 'clusterIPs');
  return { ...withoutKeys(kept, 'healthCheckNodePort'), ports };
}

/** What is to be compared of two objects that the server made, without what differs between any two. */
function content({ metadata, ...rest }: KubeObject): Readonly<Record<string, unknown>> {
  const fields = withoutKeys(rest, 'status');
  return rest.kind === 'Service'
    ? { ...fields, spec: withoutAllocated(rest['spec']) }
    : { ...fields, labels: metadata.labels };
}

const isBare = (value: unknown): boolean => value === undefined || (isRecord(value) && Object.keys(value).length === 0);

function unequal(a: unknown, b: unknown, path = ''): string[] {
  if (canonicalJson(a ?? null) === canonicalJson(b ?? null) || (isBare(a) && isBare(b) && bare.test(path))) return [];
  if (isRecord(a) && isRecord(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      unequal(a[key], b[key], `${path}/${key}`),
    );
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
    return a.flatMap((entry, index) => unequal(entry, b[index], `${path}/${index}`));
  return [`${path} is ${stringifyJson(a)}, not ${stringifyJson(b)}`];
}

const told = (differences: readonly Difference[]): string =>
  differences.map(({ kind, path }) => `${kind} ${path}`).join(', ');

/** A field that this server does not keep, because its feature is off: what Git says is not there, and that is a difference. */
const isDropped = (live: KubeObject, differences: readonly Difference[]): boolean =>
  differences.every(({ kind, path }) => {
    const steps = path
      .slice(1)
      .split('/')
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/')));
    return kind === 'missing' && isBare(at(live, ...steps));
  });

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = merged(result[key], value);
  return result;
}

/** The object that a patch leaves, as one to be created. */
function patched(live: KubeObject, patch: unknown): KubeObject {
  const object = asObject(merged(live, patch));
  const metadata = withoutKeys(
    object.metadata,
    'managedFields',
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'generation',
  );
  const spec = object.kind === 'Service' ? { spec: withoutAllocated(object['spec']) } : {};
  return { ...withoutKeys(object, 'status'), apiVersion: object.apiVersion, kind: object.kind, metadata, ...spec };
}

/** What is wrong with the change from one form of an object to another. */
async function wrongChange(from: KubeObject, to: KubeObject): Promise<string[]> {
  const [a, b] = [await make(createdObject(from)), await make(createdObject(to))];
  if (a === undefined || b === undefined) return [];
  const differs = unequal(content(a), content(b));
  const { differences } = compareObject(to, a, settings);
  const wrong: string[] = [];
  if (differs.length > 0 && differences.length === 0) wrong.push(`no difference is told, but ${differs.join(', ')}`);
  if (differs.length === 0 && differences.length > 0) wrong.push(`told without a difference: ${told(differences)}`);
  const patch = clientSidePatch(to, a);
  const result = patch === undefined ? a : await make(patched(a, patch));
  if (result === undefined) return [...wrong, 'the object as patched is refused'];
  return [...wrong, ...unequal(content(result), content(b)).map((text) => `after the patch ${text}`)];
}

/** What is wrong with one form of an object; undefined when the server does not take it. */
async function wrongForm(form: KubeObject): Promise<string[] | undefined> {
  const live = await make(createdObject(form));
  if (live === undefined) return undefined;
  const { differences } = compareObject(form, live, settings);
  if (differences.length > 0) return isDropped(live, differences) ? undefined : [`differs: ${told(differences)}`];
  const wrong = clientSidePatch(form, live) === undefined ? [] : ['would be patched although nothing differs'];
  const applied = await client.apply(sentObject(form), { ...dryRun, force: true }).then(trim);
  const again = compareObject(form, applied, settings).differences;
  return again.length === 0 ? wrong : [...wrong, `differs after server-side apply: ${told(again)}`];
}

type Tally = { accepted: number; readonly wrong: string[]; readonly seen: Set<string> };

async function tryValue(
  base: KubeObject,
  form: KubeObject,
  what: string,
): Promise<{ taken: boolean; wrong: string[] }> {
  const wrong = await wrongForm(form);
  if (wrong === undefined) return { taken: false, wrong: [] };
  if (excepted(changedOtherwise, what)) return { taken: true, wrong };
  const changes = [
    ...(await wrongChange(base, form)),
    ...(await wrongChange(form, base)).map((text) => `back: ${text}`),
  ];
  return { taken: true, wrong: [...wrong, ...changes] };
}

/** Tries all values of a field; resolves to an object in which the field holds something to go on into. */
async function tryField(base: KubeObject, { path, values }: Trial, tally: Tally): Promise<KubeObject> {
  const standing = at(base, ...path);
  const forms = values.map((value) => [stringifyJson(value), asObject(withAt(base, path, value))] as const);
  if (standing !== undefined) forms.push(['absent', asObject(withoutAt(base, path))]);
  let into = base;
  await Promise.all(
    forms.map(async ([said, form]) => {
      const what = `${base.kind} ${path.join('.')}`;
      // An explicit null of a whole spec is refused or makes nonsense under server-side apply.
      if (said === 'null' && path.length === 1) return;
      const { taken, wrong } = await tryValue(base, form, what);
      if (taken) tally.accepted += 1;
      tally.wrong.push(...wrong.map((text) => `${what} = ${said}: ${text}`));
      const value = at(form, ...path);
      const hasParts = Array.isArray(value) ? value.length > 0 : isRecord(value);
      if (taken && standing === undefined && hasParts) into = form;
    }),
  );
  return into;
}

type Place = Readonly<{ path: Path; schema: unknown }>;

async function walk(base: KubeObject, place: Place, round: Readonly<{ all: Schemas; tally: Tally }>): Promise<void> {
  const { all, tally } = round;
  for (const trial of fieldsAt(base, place, all)) {
    if (trial.path.length > 18 || excepted(leftOut, `${base.kind} ${trial.path.join('.')}`)) continue;
    const isNew = !tally.seen.has(trial.field);
    tally.seen.add(trial.field);
    const into = isNew ? await tryField(base, trial, tally) : base;
    for (const below of elementsAt(into, trial, all)) await walk(into, below, round);
  }
}

async function schemaOf(object: KubeObject): Promise<{ all: Schemas; schema: unknown }> {
  const { apiVersion } = object;
  const path = apiVersion.includes('/') ? `/openapi/v3/apis/${apiVersion}` : `/openapi/v3/api/${apiVersion}`;
  const document = parseJson((await client.request({ method: 'GET', path })).body.toString());
  const all = (at(document, 'components', 'schemas') ?? {}) as Schemas;
  const wanted = canonicalJson(gvkOf(object));
  const found = Object.keys(all).find((name) =>
    listAt(all[name], 'x-kubernetes-group-version-kind').some((gvk) => canonicalJson(gvk) === wanted),
  );
  assert.ok(found, `no schema of ${apiVersion} ${object.kind}`);
  return { all, schema: resolved({ $ref: `#/${found}` }, all).schema };
}

// Structs that several kinds share are tried in the first of them.
const seen = new Set<string>();

describe('every field of every built-in kind', () => {
  for (const manifest of manifests)
    test(`DIFF-01 DIFF-14 ${describeKey(keyOf(manifest))}`, async (t) => {
      const { namespaced } = await client.resourceFor(gvkOf(manifest));
      const metadata = namespaced ? { ...manifest.metadata, namespace } : manifest.metadata;
      const base = withTracking({ ...manifest, metadata }, 'shop', tracking);
      const tally: Tally = { accepted: 0, wrong: [], seen };
      assert.deepEqual(await wrongForm(base), []);
      const { all, schema } = await schemaOf(base);
      await walk(base, { path: [], schema }, { all, tally });
      made.clear();
      t.diagnostic(`${tally.accepted} forms`);
      assert.deepEqual(tally.wrong, []);
    });
});
