import { CodedError, isRecord, type KustomizePatch, type KustomizeSource } from '@tiphys/api';
import { type BuildEnvironment, substitute, substituteKnown } from '../build-environment.ts';
import type { Kustomization } from './kustomization.ts';

/** What a source changes of its kustomization, with variables filled in. */
export type Edits = Readonly<{
  namePrefix: string;
  nameSuffix: string;
  namespace: string;
  images: readonly string[];
  replicas: readonly Readonly<{ name: string; count: number }>[];
  labels: Readonly<Record<string, string>>;
  labelMode: 'with-selectors' | 'with-templates' | 'plain';
  forceLabels: boolean;
  annotations: Readonly<Record<string, string>>;
  forceAnnotations: boolean;
  components: readonly string[];
  patches: readonly KustomizePatch[];
}>;

function countOf(name: string, count: unknown): number {
  const number = Number(count);
  if (Number.isInteger(number) && String(count).trim() !== '') return number;
  throw new CodedError(
    'render/failed',
    `source.kustomize.replicas: the count of ${name} is no whole number: ${String(count)}`,
  );
}

const mapValues = (map: Readonly<Record<string, string>>, change: (value: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));

/**
 * The changes that a source asks for.
 * @throws CodedError render/unknown-variable, render/failed naming the field
 */
export function editsOf(source: KustomizeSource, environment: BuildEnvironment): Edits {
  const { labelWithoutSelector = false, labelIncludeTemplates = false } = source;
  if (labelIncludeTemplates && !labelWithoutSelector)
    throw new CodedError('render/failed', 'source.kustomize.labelIncludeTemplates needs labelWithoutSelector');
  const fill = (text: string): string => substitute(text, environment);
  return {
    namePrefix: source.namePrefix ?? '',
    nameSuffix: source.nameSuffix ?? '',
    namespace: source.namespace ?? '',
    images: (source.images ?? []).map((image) => substituteKnown(image, environment, 'source.kustomize.images')),
    replicas: (source.replicas ?? []).map(({ name, count }) => ({ name, count: countOf(name, count) })),
    labels: mapValues(source.commonLabels ?? {}, fill),
    labelMode: labelIncludeTemplates ? 'with-templates' : labelWithoutSelector ? 'plain' : 'with-selectors',
    forceLabels: source.forceCommonLabels ?? false,
    annotations: mapValues(source.commonAnnotations ?? {}, source.commonAnnotationsEnvsubst === true ? fill : (t) => t),
    forceAnnotations: source.forceCommonAnnotations ?? false,
    components: source.components ?? [],
    patches: source.patches ?? [],
  };
}

/** Whether there is anything to change; without it the kustomization stays as it is, comments and all. */
export const isEmpty = (edits: Edits): boolean =>
  Object.values(edits).every((value) =>
    isRecord(value)
      ? Object.keys(value).length === 0
      : Array.isArray(value)
        ? value.length === 0
        : value === '' || value === false || value === 'with-selectors',
  );

type Image = Readonly<{ name: string; newName?: string; newTag?: string; digest?: string }>;

/** Takes `image:tag@digest` apart: the tag is what follows the last colon behind the last slash. */
function splitImage(text: string): { name: string; tag: string; digest: string } {
  const at = text.indexOf('@');
  const digest = at < 0 ? '' : text.slice(at + 1);
  const tagged = at < 0 ? text : text.slice(0, at);
  const colon = tagged.lastIndexOf(':');
  if (colon < 0 || colon < tagged.lastIndexOf('/')) return { name: tagged, tag: '', digest };
  return { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

/** Reads `[old=]new[:tag][@digest]` as `kustomize edit set image` does. */
function parseImage(text: string): Image {
  const equals = text.indexOf('=');
  const { name, tag, digest } = splitImage(equals < 0 ? text : text.slice(equals + 1));
  if (equals < 0 && name === text)
    throw new CodedError(
      'render/failed',
      `source.kustomize.images: "${text}" has neither a new name, a tag nor a digest`,
    );
  const parts = { ...(tag !== '' && { newTag: tag }), ...(digest !== '' && { digest }) };
  return equals < 0 ? { name, ...parts } : { name: text.slice(0, equals), newName: name, ...parts };
}

/** `*` keeps what the kustomization says. */
function keepStarred(image: Image, known: Record<string, unknown>): Image {
  const entries = Object.entries(image).map(([field, value]) => [
    field,
    value === '*' && field !== 'name' ? (known[field] ?? '') : value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== '')) as Image;
}

const recordsOf = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

const byName = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  String(a['name']) < String(b['name']) ? -1 : 1;

function mergeImages(known: unknown, images: readonly string[]): readonly Record<string, unknown>[] {
  const before = new Map(recordsOf(known).map((image) => [String(image['name']), image]));
  const merged = new Map<string, Record<string, unknown>>(before);
  for (const text of images) {
    const image = parseImage(text);
    merged.set(image.name, { ...keepStarred(image, before.get(image.name) ?? {}) });
  }
  return [...merged.values()].sort(byName);
}

function mergeReplicas(known: unknown, replicas: Edits['replicas']): readonly Record<string, unknown>[] {
  const merged = new Map(recordsOf(known).map((replica) => [String(replica['name']), replica]));
  for (const replica of replicas) merged.set(replica.name, { ...replica });
  return [...merged.values()].sort(byName);
}

function addToMap(
  known: unknown,
  added: Readonly<Record<string, string>>,
  options: { force: boolean; what: string },
): Record<string, unknown> {
  const merged: Record<string, unknown> = isRecord(known) ? { ...known } : {};
  for (const [key, value] of Object.entries(added)) {
    if (key in merged && !options.force)
      throw new CodedError(
        'render/failed',
        `source.kustomize.common${options.what}s: the kustomization has ${options.what.toLowerCase()} ${key} already; set forceCommon${options.what}s to replace it`,
      );
    merged[key] = value;
  }
  return merged;
}

/** The entry of `labels` that has the same settings takes the labels; without one they make a new entry. */
function addToLabels(known: unknown, edits: Edits): readonly Record<string, unknown>[] {
  const includeTemplates = edits.labelMode === 'with-templates';
  const entries = recordsOf(known);
  const at = entries.findIndex(
    (entry) => entry['includeSelectors'] !== true && (entry['includeTemplates'] === true) === includeTemplates,
  );
  const options = { force: edits.forceLabels, what: 'Label' };
  const fresh = { pairs: {}, ...(includeTemplates && { includeTemplates }) };
  const old = entries[at] ?? fresh;
  const changed: Record<string, unknown> = { ...old, pairs: addToMap(old['pairs'], edits.labels, options) };
  return at < 0 ? [...entries, changed] : entries.map((entry, index) => (index === at ? changed : entry));
}

function withLabels(kustomization: Kustomization, edits: Edits): Kustomization {
  if (Object.keys(edits.labels).length === 0) return kustomization;
  if (edits.labelMode !== 'with-selectors')
    return { ...kustomization, labels: addToLabels(kustomization['labels'], edits) };
  const options = { force: edits.forceLabels, what: 'Label' };
  return { ...kustomization, commonLabels: addToMap(kustomization['commonLabels'], edits.labels, options) };
}

/**
 * A kustomization with the changes of a source, as `kustomize edit` would make them: images and replicas replace those of the same
 * name, labels and annotations that are there already need force, components and patches are added at the end.
 * @throws CodedError render/failed naming the field
 */
export function applyEdits(kustomization: Kustomization, edits: Edits): Kustomization {
  let changed = withLabels(kustomization, edits);
  const set = (fields: Kustomization): void => {
    changed = { ...changed, ...fields };
  };
  for (const field of ['namePrefix', 'nameSuffix', 'namespace'] as const)
    if (edits[field] !== '') set({ [field]: edits[field] });
  if (edits.images.length > 0) set({ images: mergeImages(changed['images'], edits.images) });
  if (edits.replicas.length > 0) set({ replicas: mergeReplicas(changed['replicas'], edits.replicas) });
  if (Object.keys(edits.annotations).length > 0) {
    const options = { force: edits.forceAnnotations, what: 'Annotation' };
    set({ commonAnnotations: addToMap(changed['commonAnnotations'], edits.annotations, options) });
  }
  if (edits.components.length > 0) {
    const known = Array.isArray(changed['components']) ? changed['components'].map(String) : [];
    set({ components: [...new Set([...known, ...edits.components])] });
  }
  if (edits.patches.length > 0)
    set({
      patches: [
        ...(Array.isArray(changed['patches']) ? changed['patches'].map((p: unknown) => p) : []),
        ...edits.patches,
      ],
    });
  return changed;
}
