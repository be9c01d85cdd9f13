/**
 * Writes packages/kube-sim/src/schema/generated/kubernetes-1.35.ts: which resources Kubernetes 1.35 serves, and of their
 * schemas the facts that serving needs (no descriptions).
 *
 * Sources: what a real API server says of itself (OpenAPI v3 per group version, OpenAPI v2, aggregated discovery), in the
 * folder TIPHYS_KUBERNETES_INPUT or ../shared/inputs/kubernetes-1.35; and the Go types of the same release in the module
 * cache, for what OpenAPI does not say: which fields are pointers, that is, which zero values survive a round trip.
 *
 * `--check` compares instead of writing. Where a source is absent both say so and end well.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { goFields, type GoField } from './go-fields.ts';
import { isAsGenerated, sealed } from './seal.ts';

type Node = Record<string, unknown>;

const root = path.resolve(import.meta.dirname, '../..');
const input = process.env['TIPHYS_KUBERNETES_INPUT'] ?? path.resolve(root, '../shared/inputs/kubernetes-1.35');
const output = path.join(root, 'packages/kube-sim/src/schema/generated/kubernetes-1.35.ts');
const goRelease = 'v0.35.4';
/** Go packages by the prefix of their OpenAPI names. */
const goModules: Readonly<Record<string, string>> = {
  'io.k8s.api.': 'k8s.io/api',
  'io.k8s.apimachinery.': 'k8s.io/apimachinery',
  'io.k8s.apiextensions-apiserver.': 'k8s.io/apiextensions-apiserver',
  'io.k8s.kube-aggregator.': 'k8s.io/kube-aggregator',
};

/** Schema keys that are carried over as they are, under our name. */
const carried: Readonly<Record<string, string>> = {
  type: 'type',
  format: 'format',
  enum: 'enum',
  required: 'required',
  'x-kubernetes-list-type': 'listType',
  'x-kubernetes-list-map-keys': 'listMapKeys',
  'x-kubernetes-map-type': 'mapType',
  'x-kubernetes-patch-strategy': 'patchStrategy',
  'x-kubernetes-patch-merge-key': 'patchMergeKey',
};

const record = (value: unknown): Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : {};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `io.k8s.api.core.v1.Pod` -> `core.v1.Pod`: group, version and name are enough. */
export const shortName = (name: string): string => name.split('.').slice(-3).join('.');

const refOf = (schema: Node): string | undefined => {
  const direct = schema['$ref'];
  const first = Array.isArray(schema['allOf']) ? record(schema['allOf'][0])['$ref'] : undefined;
  const ref = typeof direct === 'string' ? direct : first;
  return typeof ref === 'string' ? ref.slice(ref.lastIndexOf('/') + 1) : undefined;
};

/** Types that OpenAPI describes too loosely to serve from. */
const special: Readonly<Record<string, Node>> = {
  'resource.Quantity': { type: 'string', format: 'quantity' },
  'intstr.IntOrString': { intOrString: true },
  'runtime.RawExtension': { preserveUnknown: true, mapType: 'atomic' },
};

class Tables {
  readonly schemas = new Map<string, Node>();
  private readonly sources: ReadonlyMap<string, Node>;
  private readonly patches: Node;
  private readonly fields: ReadonlyMap<string, ReadonlyMap<string, GoField>>;

  constructor(
    sources: ReadonlyMap<string, Node>,
    patches: Node,
    fields: ReadonlyMap<string, ReadonlyMap<string, GoField>>,
  ) {
    this.sources = sources;
    this.patches = patches;
    this.fields = fields;
  }

  /** Adds a schema and all that it refers to; answers with the name to refer to it by. */
  add(name: string): string {
    const short = shortName(name)
      .replace('api.resource.', 'resource.')
      .replace('util.intstr.', 'intstr.')
      .replace('pkg.runtime.', 'runtime.');
    if (this.schemas.has(short)) return short;
    const source = this.sources.get(name);
    if (source === undefined) throw new Error(`no schema ${name}`);
    this.schemas.set(short, {});
    this.schemas.set(short, special[short] ?? this.convert(source, name));
    return short;
  }

  private convert(source: Node, name: string): Node {
    const node: Node = {};
    for (const [from, to] of Object.entries(carried)) if (source[from] !== undefined) node[to] = source[from];
    const ref = refOf(source);
    if (ref !== undefined) node['ref'] = this.add(ref);
    if (source['properties'] !== undefined) node['properties'] = this.properties(record(source['properties']), name);
    if (source['items'] !== undefined) node['items'] = this.convert(record(source['items']), '');
    if (typeof source['additionalProperties'] === 'object')
      node['additionalProperties'] = this.convert(record(source['additionalProperties']), '');
    const open = source['properties'] === undefined && source['additionalProperties'] === undefined;
    if (ref === undefined && open && (source['type'] === undefined || source['type'] === 'object'))
      node['preserveUnknown'] = true;
    const standard: unknown = source['default'];
    // An empty object as default says only that the field is no pointer, which `zero` says better.
    if (standard !== undefined && (typeof standard !== 'object' || standard === null)) node['default'] = standard;
    return node;
  }

  private properties(source: Node, name: string): Node {
    const go = this.fields.get(name);
    const patched = record(record(this.patches[name])['properties']);
    const result: Node = {};
    for (const [field, schema] of Object.entries(source)) {
      const node = this.convert({ ...patchFacts(record(patched[field])), ...record(schema) }, '');
      const zero = go === undefined ? undefined : this.zero(node, go.get(field));
      if (zero !== undefined) node['zero'] = zero;
      result[field] = node;
    }
    return result;
  }

  private zero(node: Node, field: GoField | undefined): string | undefined {
    if (field === undefined || field.omitZero) return undefined;
    if (field.pointer) return field.omitEmpty ? undefined : 'null';
    const target = typeof node['ref'] === 'string' ? { ...this.schemas.get(node['ref']), ...node } : node;
    const struct =
      target['properties'] !== undefined || target['intOrString'] === true || target['format'] === 'quantity';
    const time = target['format'] === 'date-time' || shortTime.has(text(node['ref']));
    if (struct) return 'write';
    if (time) return 'null';
    if (field.raw) return field.omitEmpty ? undefined : 'null';
    if (field.omitEmpty) return 'omit';
    return target['type'] === 'array' || target['additionalProperties'] !== undefined ? 'null' : 'write';
  }
}

const shortTime = new Set(['meta.v1.Time', 'meta.v1.MicroTime']);

const patchFacts = (source: Node): Node =>
  Object.fromEntries(Object.entries(source).filter(([key]) => key.startsWith('x-kubernetes-patch-')));

function readSources(): { schemas: Map<string, Node>; kinds: Map<string, string> } {
  const schemas = new Map<string, Node>();
  const kinds = new Map<string, string>();
  for (const file of readdirSync(path.join(input, 'openapi-v3')).sort()) {
    const document = record(JSON.parse(readFileSync(path.join(input, 'openapi-v3', file), 'utf8')));
    for (const [name, schema] of Object.entries(record(record(document['components'])['schemas']))) {
      schemas.set(name, record(schema));
      const gvks = record(schema)['x-kubernetes-group-version-kind'];
      // Shared kinds (DeleteOptions, WatchEvent) stand in every group; a resource's kind stands in one.
      if (Array.isArray(gvks) && gvks.length === 1) {
        const gvk = record(gvks[0]);
        kinds.set(`${text(gvk['group'])}/${text(gvk['version'])}/${text(gvk['kind'])}`, name);
      }
    }
  }
  return { schemas, kinds };
}

function gvkOf(kind: unknown, group: string, version: string): { group: string; version: string; kind: string } {
  const response = record(kind);
  const own = text(response['version']) === '';
  return {
    group: own ? group : text(response['group']),
    version: own ? version : text(response['version']),
    kind: text(response['kind']),
  };
}

function readResources(tables: Tables, kinds: ReadonlyMap<string, string>): Node[] {
  const rows: Node[] = [];
  for (const file of ['discovery-api.json', 'discovery-apis.json']) {
    const document = record(JSON.parse(readFileSync(path.join(input, file), 'utf8')));
    for (const item of list(document['items']))
      for (const version of list(item['versions']))
        for (const resource of list(version['resources']))
          rows.push(resourceRow(resource, text(record(item['metadata'])['name']), text(version['version'])));
  }
  for (const row of rows) {
    const name = kinds.get(`${text(row['group'])}/${text(row['version'])}/${text(row['kind'])}`);
    if (name !== undefined) row['schema'] = tables.add(name);
    for (const sub of Object.values(record(row['subresourceTypes'])).map(record)) {
      const subName = kinds.get(`${text(sub['group'])}/${text(sub['version'])}/${text(sub['kind'])}`);
      if (subName !== undefined) tables.add(subName);
    }
  }
  return rows;
}

const list = (value: unknown): Node[] => (Array.isArray(value) ? value.map(record) : []);

function resourceRow(resource: Node, group: string, version: string): Node {
  const subresources = list(resource['subresources']);
  return {
    ...gvkOf(resource['responseKind'], group, version),
    group,
    version,
    plural: resource['resource'],
    singular: resource['singularResource'],
    shortNames: resource['shortNames'] ?? [],
    namespaced: resource['scope'] === 'Namespaced',
    verbs: resource['verbs'] ?? [],
    categories: resource['categories'] ?? [],
    subresources: subresources.map((sub) => sub['subresource']),
    subresourceTypes: Object.fromEntries(
      subresources.map((sub) => [
        text(sub['subresource']),
        { ...gvkOf(sub['responseKind'], group, version), verbs: sub['verbs'] ?? [] },
      ]),
    ),
  };
}

function moduleFolder(module: string): string | undefined {
  try {
    const cache = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8', timeout: 30_000 }).trim();
    const folder = path.join(cache, `${module}@${goRelease}`);
    return existsSync(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** One hash over everything that decides the output: the input files and the generator itself. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const files = [
    'discovery-api.json',
    'discovery-apis.json',
    'openapi-v2.json',
    ...readdirSync(path.join(input, 'openapi-v3'))
      .sort()
      .map((file) => `openapi-v3/${file}`),
  ].map((file) => path.join(input, file));
  for (const file of [...files, import.meta.filename, path.join(import.meta.dirname, 'go-fields.ts')])
    hash.update(createHash('sha256').update(readFileSync(file)).digest());
  hash.update(goRelease);
  return hash.digest('hex');
}

function generate(): string {
  const { schemas, kinds } = readSources();
  const v2 = record(JSON.parse(readFileSync(path.join(input, 'openapi-v2.json'), 'utf8')));
  const fields = new Map<string, ReadonlyMap<string, GoField>>();
  for (const [prefix, module] of Object.entries(goModules)) {
    const folder = moduleFolder(module);
    if (folder === undefined) throw new Error(`${module} ${goRelease} is not in the Go module cache`);
    const names = [...schemas.keys()].filter((name) => name.startsWith(prefix));
    for (const [name, found] of goFields(folder, prefix, names)) fields.set(name, found);
  }
  const tables = new Tables(schemas, record(v2['definitions']), fields);
  const resources = readResources(tables, kinds);
  tables.add('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  const lines = [...tables.schemas]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([n, s]) => `${JSON.stringify(n)}:${JSON.stringify(s)}`);
  const body = `{"resources":[\n${resources.map((row) => JSON.stringify(row)).join(',\n')}\n],"schemas":{\n${lines.join(',\n')}\n}}`;
  if (/[`\\]|\$\{/.test(body)) throw new Error('the tables hold a character that a template literal cannot');
  return sealed(
    [
      '// Generated by tools/generate/kubernetes-schemas.ts; do not edit.',
      `// inputs: ${fingerprint()}`,
      '/** Resources and schemas of Kubernetes 1.35 as JSON text; read by built-in.ts. */',
      `export const kubernetesTables: string = \`${body}\`;`,
      '',
    ].join('\n'),
  );
}

function main(): void {
  const missing = [
    ...(existsSync(input) ? [] : ['the Kubernetes API documents (set TIPHYS_KUBERNETES_INPUT)']),
    ...Object.values(goModules)
      .filter((module) => moduleFolder(module) === undefined)
      .map((module) => `${module} ${goRelease} in the Go module cache`),
  ];
  const check = process.argv.includes('--check');
  const name = path.relative(root, output);
  if (check) {
    const text = existsSync(output) ? readFileSync(output, 'utf8') : '';
    const isFresh = isAsGenerated(text) && (!existsSync(input) || text.includes(`// inputs: ${fingerprint()}`));
    const unseen = existsSync(input) ? '' : `; not compared with ${missing.join('; ')}, absent here`;
    console.log(isFresh ? `fresh: ${name}${unseen}` : `stale: ${name} (run npm run generate)`);
    if (!isFresh) process.exitCode = 1;
    return;
  }
  if (missing.length > 0) {
    console.log(`skipped: ${name} (absent: ${missing.join('; ')})`);
    return;
  }
  writeFileSync(output, generate());
  console.log(`wrote: ${name} (${String(Math.round(readFileSync(output).length / 1024))} KiB)`);
}

main();
