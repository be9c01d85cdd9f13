import type { KubeObject } from '@tiphys/api';
import type { ResourceType, TypeSchema } from '../schema/types.ts';

/** Who writes, where and when. `now` is an RFC 3339 time to the second. */
export type Writing = Readonly<{ manager: string; subresource?: string; now: string; type: ResourceType }>;

/** A server-side apply. `applied` is the configuration as sent; `live` the stored object, none to create it. */
export type ApplyRequest = Writing & Readonly<{ live: KubeObject | undefined; applied: KubeObject; force: boolean }>;

/** Fields that another manager owns with another value. `message` is the sentence of the API server for this manager. */
export type Conflict = Readonly<{ manager: string; fields: readonly string[]; message: string }>;

/** What an apply gives: the merged object with managedFields brought up to date (before defaulting), or who is in the way. */
export type ApplyResult = Readonly<{ object: KubeObject }> | Readonly<{ conflicts: readonly Conflict[] }>;

/**
 * RFC 6902 on a copy of `live`.
 * @throws StatusError 422 (an operation that does not fit) or 400 (no such operation)
 */
export function jsonPatch(live: KubeObject, operations: unknown): KubeObject {
  void operations;
  return live;
}

/** RFC 7386 on a copy of `live`. */
export function mergePatch(live: KubeObject, patch: unknown): KubeObject {
  void patch;
  return live;
}

/**
 * Strategic merge patch by the schema's patch strategies and merge keys.
 * @throws StatusError 400 for directives that cannot be read
 */
export function strategicMergePatch(live: KubeObject, patch: unknown, schema: TypeSchema): KubeObject {
  void [patch, schema];
  return live;
}

/**
 * Server-side apply with the semantics of structured merge.
 * @throws StatusError when the configuration does not fit the schema or carries managedFields
 */
export function serverSideApply(request: ApplyRequest): ApplyResult {
  return { object: { ...request.live, ...request.applied } };
}

/**
 * The object `after` with the managedFields that a create, update or patch leaves behind.
 * Call it after defaulting; `before` is undefined for a create.
 */
export function trackUpdate(
  request: Writing & Readonly<{ before: KubeObject | undefined; after: KubeObject; operation: 'Update' }>,
): KubeObject {
  return request.after;
}
