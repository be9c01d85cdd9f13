import { CodedError, isRecord } from '@tiphys/api';
import { relativeTo } from '../read-set.ts';
import type { Kustomization } from './kustomization.ts';

/** What may stand in a field: anything that names no file, or files that are looked at (kustomization.ts). */
type Shape =
  | 'no-file'
  | 'path'
  | 'paths'
  /** `key=path`, or a path alone. */
  | 'keyed-paths'
  | Readonly<{ each: Readonly<Record<string, Shape>> }>
  | Readonly<{ one: Readonly<Record<string, Shape>> }>;

const generator: Shape = {
  each: {
    ...{ name: 'no-file', namespace: 'no-file', behavior: 'no-file', literals: 'no-file', options: 'no-file' },
    ...{ type: 'no-file', files: 'keyed-paths', envs: 'paths', env: 'path' },
  },
};
const patch: Shape = { each: { path: 'path', patch: 'no-file', target: 'no-file', options: 'no-file' } };

/** Every field that is known to name no file but those that are looked at. */
const shapes: Readonly<Record<string, Shape>> = {
  ...{ apiVersion: 'no-file', kind: 'no-file', metadata: 'no-file', buildMetadata: 'no-file', sortOptions: 'no-file' },
  ...{ namePrefix: 'no-file', nameSuffix: 'no-file', namespace: 'no-file', images: 'no-file', replicas: 'no-file' },
  ...{ labels: 'no-file', commonLabels: 'no-file', commonAnnotations: 'no-file', vars: 'no-file' },
  generatorOptions: 'no-file',
  ...{ resources: 'paths', bases: 'paths', components: 'paths', crds: 'paths', configurations: 'paths' },
  patchesStrategicMerge: 'paths',
  ...{ patches: patch, patchesJson6902: patch },
  replacements: { each: { path: 'path', source: 'no-file', targets: 'no-file' } },
  ...{ configMapGenerator: generator, secretGenerator: generator },
  openapi: { one: { path: 'path' } },
  helmGlobals: { one: { chartHome: 'path' } },
  helmCharts: {
    each: {
      ...{ name: 'path', version: 'no-file', repo: 'no-file', releaseName: 'no-file', namespace: 'no-file' },
      ...{ valuesFile: 'path', additionalValuesFiles: 'paths', valuesInline: 'no-file', valuesMerge: 'no-file' },
      ...{ includeCRDs: 'no-file', skipHooks: 'no-file', skipTests: 'no-file', apiVersions: 'no-file' },
      ...{ kubeVersion: 'no-file', nameTemplate: 'no-file', debug: 'no-file', devel: 'no-file' },
    },
  },
};

const refuse = (where: string, why: string): CodedError =>
  new CodedError('render/unsupported', `${where}: ${why} with --load-restrictor LoadRestrictionsNone`);

type Place = Readonly<{ where: string; folder: string }>;

function checkPath(value: unknown, { where, folder }: Place): void {
  if (typeof value !== 'string') throw refuse(where, 'only a text may name a file');
  // Kustomize tries what it cannot read as YAML as a path, so a text in place is held to the same.
  if (relativeTo(folder, value) === undefined)
    throw new CodedError('render/path-outside', `${where}: "${value.slice(0, 200)}" leads out of the repository`);
}

const listOf = (value: unknown, where: string): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  throw refuse(where, 'only a list is allowed here');
};

function checkFields(value: unknown, fields: Readonly<Record<string, Shape>>, { where, folder }: Place): void {
  if (!isRecord(value)) throw refuse(where, 'only a mapping is allowed here');
  for (const [field, content] of Object.entries(value)) {
    const shape = Object.hasOwn(fields, field) ? fields[field] : undefined;
    const at = `${where}.${field}`.replace(/: \./, ': ');
    // Also a known name in other letters: kustomize reads it, and we do not.
    if (shape === undefined) throw refuse(at, 'the field is not allowed');
    if (content !== null) checkShape(content, shape, { where: at, folder });
  }
}

function checkShape(value: unknown, shape: Shape, place: Place): void {
  const { where } = place;
  if (shape === 'no-file') return;
  if (shape === 'path') checkPath(value, place);
  else if (shape === 'paths') for (const one of listOf(value, where)) checkPath(one, place);
  else if (shape === 'keyed-paths')
    for (const one of listOf(value, where))
      checkPath(typeof one === 'string' ? one.slice(one.indexOf('=') + 1) : one, place);
  else if ('one' in shape) checkFields(value, shape.one, place);
  else for (const one of listOf(value, where)) checkFields(one, shape.each, place);
}

/**
 * Makes sure that a kustomization names no file in a way that we do not see. Kustomize itself keeps to the folder of a kustomization
 * unless it is told to load from anywhere; then it is we who have to know every path, and what we do not know is refused.
 * @throws CodedError render/unsupported, render/path-outside naming file and field
 */
export function requireKnownPaths(
  kustomization: Kustomization | undefined,
  { path, folder }: Readonly<{ path: string; folder: string }>,
): void {
  if (kustomization === undefined) throw refuse(path, 'what cannot be read is not built');
  checkFields(kustomization, shapes, { where: `${path}: `, folder });
}
