import { isRecord, type KubeObject } from '@tiphys/api';
import { jsonPatch, mergePatch, serverSideApply, strategicMergePatch, type Conflict } from '../../patch/index.ts';
import { badRequest, StatusError } from '../../schema/status-error.ts';
import type { ResourceType } from '../../schema/types.ts';
import { timeText, type Cluster, type Target, type WriteOptions, type Written } from '../cluster.ts';
import { otherVersions } from '../conversion.ts';
import {
  applyConflict,
  fieldError,
  invalidOptions,
  invalidPatch,
  modified,
  notFound,
  unsupportedMediaType,
  unsupportedPatch,
  type Refusal,
} from '../refusal.ts';
import { createObject } from './create.ts';
import { placed, readObject, type Incoming } from './incoming.ts';
import { commit, liveObject } from './update.ts';
import { omit } from '../../schema/omit.ts';

/** Media types of a PATCH. */
export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export type PatchRequest = Readonly<{
  mediaType: string;
  body: unknown;
  subresource: string;
  options: WriteOptions;
}>;

/**
 * Refuses what is no patch, before anything is looked up.
 * @throws Refusal 415
 */
export function checkPatchType(mediaType: string, type: ResourceType): void {
  const known: readonly string[] = [...Object.values(patchTypes), 'application/apply-patch+json'];
  const isCustom = type.custom !== undefined || type.schema === undefined;
  if (isCustom && (!known.includes(mediaType) || mediaType === patchTypes.strategic))
    throw unsupportedMediaType([patchTypes.json, patchTypes.merge, patchTypes.apply]);
  if (!known.includes(mediaType)) throw unsupportedPatch();
}

function patched(live: KubeObject, type: ResourceType, { mediaType, body }: PatchRequest): KubeObject {
  switch (mediaType) {
    case patchTypes.json:
      return jsonPatch(live, body);
    case patchTypes.merge:
      return mergePatch(live, body);
    case patchTypes.strategic:
      if (type.custom === undefined && type.schema !== undefined) return strategicMergePatch(live, body, type.schema);
      throw unsupportedMediaType([patchTypes.json, patchTypes.merge, patchTypes.apply]);
    default:
      throw unsupportedPatch();
  }
}

/** Changes an object by one of the four kinds of patch. A server-side apply creates what is missing. */
export function patch(cluster: Cluster, target: Target, request: PatchRequest): Written {
  const live = liveObject(cluster, target);
  if (request.mediaType === patchTypes.apply || request.mediaType === 'application/apply-patch+json')
    return apply(cluster, target, { request, live });
  if (live === undefined) throw notFound(target.type, target.name);
  const { type, name } = target;
  const next = patched(live, type, request);
  if (next.metadata.resourceVersion !== live.metadata.resourceVersion && next.metadata.resourceVersion !== undefined)
    throw modified(type, name);
  const incoming = readPatched(next, type, request);
  const written = commit(cluster, target, { live, next: placed(incoming.object, target), ...request });
  return { ...written, warnings: incoming.warnings };
}

/** A patched built-in object that no longer decodes is the patch's fault: 422, where a bad body is 400. */
function readPatched(next: KubeObject, type: ResourceType, request: PatchRequest): Incoming {
  try {
    return readObject(next, type, request.options);
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 400) throw error;
    const metadata = omit(next.metadata, 'managedFields');
    const why = error.message.replace(/^.*? cannot be handled as an? \w+: /, '');
    // A strategic merge is decoded from a map, which says so.
    const decoding =
      request.mediaType === patchTypes.strategic && !why.startsWith('strict') ? 'error decoding from json: ' : '';
    throw invalidPatch({ ...next, metadata }, `${decoding}${why}`);
  }
}

function apply(
  cluster: Cluster,
  target: Target,
  { request, live }: Readonly<{ request: PatchRequest; live: KubeObject | undefined }>,
): Written {
  const { type, name } = target;
  const { options, subresource, body } = request;
  if (options.manager === '')
    throw invalidOptions(
      'PatchOptions',
      fieldError('fieldManager', 'FieldValueRequired', 'Required value: is required for apply patch'),
    );
  // The configuration counts as it was sent: what it says, be it zero, null or unknown, is its manager's word.
  const sent = readApplied(body);
  const warnings = repeatedLines(options);
  const applied = placed(sent, target);
  if (live === undefined && subresource !== '') throw notFound(type, name);
  const version = applied.metadata.resourceVersion;
  if (version !== undefined && version !== live?.metadata.resourceVersion) throw modified(type, name);
  const now = timeText(cluster.clock.now());
  const result = serverSideApply({
    live,
    // What the path alone says is nobody's field.
    applied: { ...applied, metadata: { ...sent.metadata, name } },
    manager: options.manager,
    force: options.force,
    ...(subresource !== '' && { subresource }),
    now,
    type,
    otherVersion: otherVersions(cluster.types, type),
  });
  if ('conflicts' in result) throw conflictOf(result.conflicts);
  const managed = true;
  const written =
    live === undefined
      ? createObject(cluster, target, { object: result.object, options, managed })
      : commit(cluster, target, { live, next: result.object, subresource, options, managed });
  return { ...written, warnings: [...warnings, ...written.warnings] };
}

/** An apply is read as YAML, which tells lines of keys that are there twice. */
function repeatedLines({ repeated = [], fieldValidation }: WriteOptions): readonly string[] {
  const lines = repeated.map(({ line, key }) => `line ${line}: key ${JSON.stringify(key)} already set in map`);
  if (lines.length > 0 && fieldValidation === 'Strict')
    throw badRequest(
      `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    );
  return fieldValidation === 'Warn' ? lines : [];
}

function readApplied(body: unknown): KubeObject {
  if (!isRecord(body) || typeof body['apiVersion'] !== 'string' || typeof body['kind'] !== 'string')
    throw badRequest(`invalid object type: /, Kind=`);
  const { apiVersion, kind, metadata } = body;
  return { ...body, apiVersion, kind, metadata: isRecord(metadata) ? metadata : {} };
}

/** The one answer for all managers in the way, sorted by manager as the API server sorts them. */
function conflictOf(conflicts: readonly Conflict[]): Refusal {
  const causes = conflicts.flatMap(({ fields, message }) =>
    fields.map((field) => ({ reason: 'FieldManagerConflict', message, field })),
  );
  const [only] = causes;
  if (causes.length === 1 && only !== undefined)
    return applyConflict(`Apply failed with 1 conflict: ${only.message}: ${only.field}`, causes);
  const lines = [...conflicts]
    .sort((a, b) => (a.manager < b.manager ? -1 : 1))
    .flatMap(({ message, fields }) => [
      `${message.replace(/^conflict /, 'conflicts ')}:`,
      ...fields.map((field) => `- ${field}`),
    ]);
  return applyConflict(`Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`, causes);
}
