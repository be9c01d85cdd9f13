import { omit } from '../schema/omit.ts';
import {
  canonicalJson,
  formatApiVersion,
  isRecord,
  parseJson,
  stringAt,
  type KubeObject,
  type ManagedFieldsEntry,
} from '@tiphys/api';
import { decode, encode, settle, type Decoded } from '../schema/decode.ts';
import { objectMetaSchema } from '../schema/object-meta.ts';
import { badRequest, StatusError, type StatusCause } from '../schema/status-error.ts';
import type { ResourceType, TypeSchema } from '../schema/types.ts';
import { compare, fieldsOf, type Comparison } from './field-compare.ts';
import { faultsOf, mergeTyped, removeFields } from './field-merge.ts';
import {
  difference,
  emptySet,
  intersection,
  pathsOf,
  pathText,
  setOf,
  union,
  without,
  type FieldPath,
  type FieldSet,
} from './field-set.ts';
import { typeOf, withLeaves, withNamedFields, type FieldType } from './field-type.ts';
import { capUpdaters, isReset, ownerKey, readOwners, writeOwners, type Owner, type Owners } from './managers.ts';
import { resetFields } from './reset-fields.ts';
import { sameJson } from './same-json.ts';

/** Who writes, where and when. `now` is an RFC 3339 time to the second. */
export type Writing = Readonly<{
  manager: string;
  subresource?: string;
  now: string;
  type: ResourceType;
  /** Other versions of the kind, by apiVersion: whoever wrote in one of them owns fields of that one. */
  otherVersion?: (apiVersion: string) => OtherVersion | undefined;
}>;

/** How objects look in another version, and the way back. */
export type OtherVersion = Readonly<{
  schema: TypeSchema | undefined;
  there: (object: KubeObject) => KubeObject;
  back: (object: KubeObject) => KubeObject;
}>;

/** A server-side apply. `applied` is the configuration as sent; `live` the stored object, none to create it. */
export type ApplyRequest = Writing & Readonly<{ live: KubeObject | undefined; applied: KubeObject; force: boolean }>;

/** A write that is no apply; `before` is undefined for a create. */
export type UpdateRequest = Writing &
  Readonly<{ before: KubeObject | undefined; after: KubeObject; operation: 'Update' }>;

/** Fields that another manager owns with another value. `message` is the sentence of the API server for this manager. */
export type Conflict = Readonly<{ manager: string; fields: readonly string[]; message: string }>;

/** What an apply gives: the merged object with managedFields brought up to date (before defaulting), or who is in the way. */
export type ApplyResult = Readonly<{ object: KubeObject }> | Readonly<{ conflicts: readonly Conflict[] }>;

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Fields that belong to nobody. */
const systemFields = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields']
    .concat('resourceVersion')
    .map((field): FieldPath => ['f:metadata', `f:${field}`]),
);

/**
 * Server-side apply with the semantics of structured merge. The object of the result has no defaults yet; call
 * applyDefaults and then settleTimes.
 * @throws StatusError when the configuration does not fit the schema (500, as the API server answers) or carries
 *   managedFields or another version (400)
 */
export function serverSideApply(request: ApplyRequest): ApplyResult {
  const { type, applied, live } = request;
  const version = formatApiVersion(type.group, type.version);
  if (applied.apiVersion !== version)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion}, expected: ${version}`,
    );
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  const owners = readOwners(live?.metadata.managedFields);
  if (owners === undefined) throw internal('failed to decode managed fields');
  const fields = typeOf(type.schema);
  settleOwners(owners, version, fields);
  checkFits(applied, type, fields);
  const base = withoutOwnership(live) ?? emptyObject(type);
  // What was there before anybody applied belongs to a manager of its own, so that nothing of it is taken by accident.
  if (owners.size === 0)
    record({ ...request, manager: 'before-first-apply', before: emptyObject(type), after: base, fields }, owners);
  return applyTo({ request, owners, fields, base });
}

/** A definition may have changed what is one leaf since the owners came to own it. */
function settleOwners(owners: Owners, version: string, fields: FieldType): void {
  for (const [key, owner] of owners)
    if (owner.apiVersion === version) owners.set(key, { ...owner, fields: withLeaves(owner.fields, fields) });
}

type Applying = Readonly<{ request: ApplyRequest; owners: Owners; fields: FieldType; base: KubeObject }>;

function applyTo(applying: Applying): ApplyResult {
  const { request, owners, fields, base } = applying;
  const applier = applierOf(request);
  const key = ownerKey(applier);
  const last = owners.get(key)?.fields ?? emptySet;
  const ignored = resetFields(request.type, request.subresource);
  const own = without(fieldsOf(request.applied, fields), ignored);
  const before = owners.get(key)?.time;
  owners.set(key, { ...applier, fields: own, ...(before !== undefined && { time: before }) });
  const merged = mergeTyped(base, request.applied, fields);
  const pruned = keepOthers({ pruned: prune({ merged, last, owners, fields }), merged, owners }, request);
  const comparison = filtered(compare(base, pruned, fields), ignored);
  const seen = comparisons({ before: base, after: asObject(pruned), comparison }, request);
  const conflicts = conflictsOf(owners, key, seen);
  const force = request.force || allowedByKubectl(applying, conflicts);
  if (conflicts.size > 0 && !force) return { conflicts: [...conflicts].map(([owner, set]) => describe(owner, set)) };
  yieldTo(owners, key, seen);
  const changed = !sameJson(base, pruned);
  const mine = owners.get(key);
  const stripped = mine === undefined ? emptySet : difference(mine.fields, systemFields);
  if (mine === undefined || stripped.size === 0) owners.delete(key);
  else owners.set(key, { ...mine, fields: stripped, ...(changed && { time: request.now }) });
  const object = changed ? decoded(asObject(pruned), request.type) : base;
  return { object: settled(withOwners(syncLastApplied(object, request), owners), request.type) };
}

const applierOf = ({ manager, subresource, type }: Writing): Omit<Owner, 'fields' | 'time'> => ({
  manager: manager === '' ? 'unknown' : manager,
  operation: 'Apply',
  apiVersion: formatApiVersion(type.group, type.version),
  subresource: subresource ?? '',
});

// Merging objects and taking fields away leaves their identity in place.
const asObject = (value: unknown): KubeObject => value as KubeObject;

/** The API server answers with a bare error, without a reason. */
const internal = (message: string): StatusError => new StatusError({ code: 500, reason: '', message });

function checkFits(applied: KubeObject, type: ResourceType, fields: FieldType): void {
  const faults = faultsOf(applied, fields).map((fault) => fault.replace(/^: /, ''));
  if (faults.length === 0) return;
  const { name = '', namespace = '' } = applied.metadata;
  const kind = `${type.group}/${type.version}, Kind=${type.kind}`;
  const list = faults.length === 1 ? faults.join('') : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`;
  throw internal(`failed to create typed patch object (${namespace}/${name}; ${kind}): ${list}`);
}

const filtered = (comparison: Comparison, ignored: FieldSet): Comparison => ({
  added: without(comparison.added, ignored),
  removed: without(comparison.removed, ignored),
  modified: without(comparison.modified, ignored),
});

/** The merged object as the API server reads it back: without the nulls and zeros that it does not keep. */
function decoded(object: KubeObject, type: ResourceType): KubeObject {
  const custom = type.custom !== undefined || type.schema === undefined;
  const found: Decoded = { unknown: [], mismatch: undefined };
  // Of a custom resource only the metadata is read through Go types: a null in it is for its schema to judge.
  const result = asObject(custom ? { ...object, ...readMetadata(object, found) } : decode(object, type.schema, found));
  if (found.mismatch === undefined) return result;
  const { name = '', namespace = '' } = object.metadata;
  const kind = `${type.group}/${type.version}, Kind=${type.kind}`;
  throw internal(
    `failed to convert new object (${namespace}/${name}; ${kind}) to proper version: unable to convert unstructured object to ${kind}: error decoding from json: ${found.mismatch}`,
  );
}

function readMetadata({ metadata }: KubeObject, found: Decoded): Record<string, unknown> {
  const read = decode({ metadata }, objectMetaSchema, found);
  return isRecord(read) ? read : {};
}

const settled = (object: KubeObject, type: ResourceType): KubeObject =>
  type.custom !== undefined || type.schema === undefined ? object : asObject(settle(object, type.schema));

/** Takes away what this applier applied last time, does not any more, and nobody else owns. */
function prune(state: { merged: unknown; last: FieldSet; owners: Owners; fields: FieldType }): unknown {
  const { merged, last, owners, fields } = state;
  if (last.size === 0) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(set, fields);
  const all = named(fieldsOf(merged, fields));
  const bare = removeFields(merged, named(last), fields);
  const owned = [...owners.values()].reduce((sum, owner) => union(sum, owner.fields), emptySet);
  const kept = union(named(fieldsOf(bare, fields)), named(owned));
  const restored = removeFields(merged, difference(all, kept), fields);
  const gone = difference(all, named(fieldsOf(restored, fields)));
  return removeFields(merged, intersection(gone, named(last)), fields);
}

/** A change as the version of an owner shows it. */
type SeenBy = (owner: Owner) => Comparison;

type Compared = Readonly<{ before: KubeObject; after: KubeObject; comparison: Comparison }>;

function comparisons({ before, after, comparison }: Compared, { type, otherVersion }: Writing): SeenBy {
  const own = formatApiVersion(type.group, type.version);
  const known = new Map<string, Comparison>([[own, comparison]]);
  return ({ apiVersion }) => {
    const found = known.get(apiVersion);
    if (found !== undefined) return found;
    const other = otherVersion?.(apiVersion);
    const seen =
      other === undefined ? comparison : compare(other.there(before), other.there(after), typeOf(other.schema));
    known.set(apiVersion, seen);
    return seen;
  };
}

type Pruned = Readonly<{ pruned: unknown; merged: unknown; owners: Owners }>;

/** What pruning took although somebody owns it in another version comes back. */
function keepOthers({ pruned, merged, owners }: Pruned, { otherVersion }: Writing): unknown {
  let result = asObject(pruned);
  for (const { apiVersion, fields: owned } of owners.values()) {
    const other = otherVersion?.(apiVersion);
    if (other === undefined) continue;
    const fields = typeOf(other.schema);
    const whole = other.there(asObject(merged));
    const [all, left] = [fieldsOf(whole, fields), fieldsOf(other.there(result), fields)];
    const lost = intersection(difference(all, left), owned);
    if (lost.size > 0) result = other.back(asObject(removeFields(whole, difference(all, union(left, lost)), fields)));
  }
  return result;
}

/** By owner: the fields of others that a write changes. */
function conflictsOf(owners: Owners, writer: string, seen: SeenBy): Map<Owner, FieldSet> {
  const conflicts = new Map<Owner, FieldSet>();
  for (const [key, owner] of [...owners].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { added, modified } = seen(owner);
    const contested = key === writer ? emptySet : intersection(owner.fields, union(modified, added));
    if (contested.size > 0) conflicts.set(owner, contested);
  }
  return conflicts;
}

/** The others lose what the writer changed or removed. */
function yieldTo(owners: Owners, writer: string, seen: SeenBy): void {
  for (const [key, owner] of owners) {
    const { added, modified, removed } = seen(owner);
    const lost = union(union(modified, added), removed);
    const fields = key === writer ? owner.fields : difference(owner.fields, lost);
    if (fields.size === 0) owners.delete(key);
    else if (fields !== owner.fields) owners.set(key, { ...owner, fields });
  }
}

function describe(owner: Owner, contested: FieldSet): Conflict {
  const through = owner.subresource === '' ? '' : ` with subresource ${JSON.stringify(owner.subresource)}`;
  const using = owner.operation === 'Update' ? ` using ${owner.apiVersion}` : '';
  return {
    manager: owner.manager,
    fields: pathsOf(contested).map(pathText),
    message: `conflict with ${JSON.stringify(owner.manager)}${through}${using}`,
  };
}

/** The answer to an apply that met conflicts: 409, with a cause for each field. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes: StatusCause[] = conflicts.flatMap(({ fields, message }) =>
    fields.map((field) => ({ reason: 'FieldManagerConflict', message, field })),
  );
  const [first] = causes;
  const lists = conflicts.map(({ message, fields }) =>
    [`${message.replace('conflict with', 'conflicts with')}:`, ...fields.map((field) => `- ${field}`)].join('\n'),
  );
  const message =
    causes.length === 1 && first !== undefined
      ? `Apply failed with 1 conflict: ${first.message}: ${first.field ?? ''}`
      : `Apply failed with ${causes.length} conflicts: ${lists.join('\n')}`;
  return new StatusError({ code: 409, reason: 'Conflict', message, causes });
}

/**
 * kubectl may take over, without force, fields that its client-side apply set last: those whose live value is still the
 * one in its annotation.
 */
function allowedByKubectl({ request, fields, base }: Applying, conflicts: ReadonlyMap<Owner, FieldSet>): boolean {
  const text = stringAt(base, 'metadata', 'annotations', lastApplied) ?? '';
  if (request.manager !== 'kubectl' || conflicts.size === 0 || text === '') return false;
  const last = parsed(text);
  if (!isRecord(last) || last['apiVersion'] !== base.apiVersion || faultsOf(last, fields).length > 0) return false;
  const { added, modified, removed } = compare(last, base, fields);
  const unchanged = difference(fieldsOf(last, fields), union(union(modified, added), removed));
  return [...conflicts.values()].every((contested) => difference(contested, unchanged).size === 0);
}

function parsed(text: string): unknown {
  try {
    return parseJson(text, lastApplied);
  } catch {
    return undefined;
  }
}

/** Keeps the annotation of client-side apply in step with kubectl's server-side apply, where there is one. */
function syncLastApplied(object: KubeObject, { manager, applied }: ApplyRequest): KubeObject {
  const annotations = object.metadata.annotations;
  if (manager !== 'kubectl' || (annotations?.[lastApplied] ?? '') === '') return object;
  const rest = omit(applied.metadata.annotations ?? {}, lastApplied);
  const text = `${canonicalJson({
    ...applied,
    metadata: { ...applied.metadata, ...(applied.metadata.annotations !== undefined && { annotations: rest }) },
  })}\n`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [lastApplied]: text } } };
}

/** What an object that nobody has written to looks like. */
function emptyObject(type: ResourceType): KubeObject {
  const identity = { apiVersion: formatApiVersion(type.group, type.version), kind: type.kind };
  if (type.custom !== undefined || type.schema === undefined) return asObject(identity);
  return asObject(encode(identity, type.schema));
}

function withoutOwnership(object: KubeObject | undefined): KubeObject | undefined {
  if (object === undefined) return undefined;
  return { ...object, metadata: omit(object.metadata, 'managedFields') };
}

function withOwners(object: KubeObject, owners: Owners): KubeObject {
  const entries = writeOwners(owners);
  return { ...object, metadata: { ...object.metadata, ...(entries !== undefined && { managedFields: entries }) } };
}

/**
 * The object `after` with the managedFields that a create, update or patch leaves behind. `after.metadata.managedFields`
 * is what the client sent: usually those of `before`, else it edits or (empty) resets them. Call it after
 * applyDefaults and before anything that the server adds of itself (admission, clusterIP, ...).
 */
export function trackUpdate(request: UpdateRequest): KubeObject {
  const { before, after, type, subresource } = request;
  const sent = after.metadata.managedFields;
  const stored = before?.metadata.managedFields;
  const owners = ownersAfter(sent, stored, subresource !== undefined && subresource !== '');
  const next = withoutOwnership(after) ?? after;
  // An object whose ownership was given up stays without until somebody applies.
  if (before !== undefined && owners.size === 0) return settled(next, type);
  const fields = typeOf(type.schema);
  settleOwners(owners, formatApiVersion(type.group, type.version), fields);
  record({ ...request, before: withoutOwnership(before) ?? emptyObject(type), after: next, fields }, owners);
  return settled(withOwners(next, owners), type);
}

function ownersAfter(sent: unknown, stored: unknown, throughSubresource: boolean): Owners {
  const kept = readOwners(stored) ?? new Map<string, Owner>();
  if (throughSubresource) return kept;
  if (isReset(sent)) return new Map();
  const given = readOwners(sent);
  return given === undefined || given.size === 0 ? kept : given;
}

type Change = Writing & Readonly<{ before: KubeObject; after: KubeObject; fields: FieldType }>;

/** Gives a writer what it changed, and takes that from the others. */
function record(change: Change, owners: Owners): void {
  const { before, after, fields, type, now } = change;
  const comparison = filtered(compare(before, after, fields), resetFields(type, change.subresource));
  yieldTo(owners, '', comparisons({ before, after, comparison }, change));
  const mine = difference(union(comparison.modified, comparison.added), systemFields);
  if (mine.size > 0) {
    const writer = { ...applierOf(change), operation: 'Update' as const };
    const key = ownerKey(writer);
    owners.set(key, { ...writer, fields: union(owners.get(key)?.fields ?? emptySet, mine), time: now });
  }
  capUpdaters(owners);
}

/**
 * `after` with the managedFields of `before` when nothing but their times differs: such a write changes nothing. Call it
 * last, before storing.
 */
export function settleTimes(before: KubeObject, after: KubeObject): KubeObject {
  const old = before.metadata.managedFields ?? [];
  const next = after.metadata.managedFields ?? [];
  if (old.length !== next.length || old.length === 0) return after;
  const timeless = (entry: ManagedFieldsEntry): ManagedFieldsEntry => ({ ...entry, time: '' });
  if (!sameJson(old.map(timeless), next.map(timeless))) return after;
  const settled = { ...after, metadata: { ...after.metadata, managedFields: old } };
  return sameJson(before, settled) ? settled : after;
}
