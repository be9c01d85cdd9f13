import { isRecord, type KubeObject } from '@tiphys/api';
import type { NamedPatch } from './types.ts';

/** The same patch for the object as it was seen, and no other: once that has changed, the server answers with a conflict. */
export function patchAsSeen({ type, body }: NamedPatch, { metadata: { resourceVersion } }: KubeObject): NamedPatch {
  // Not a `test`: that would be refused as an invalid patch, which nobody tries again.
  if (Array.isArray(body)) {
    const operations: readonly unknown[] = body;
    return { type, body: [{ op: 'add', path: '/metadata/resourceVersion', value: resourceVersion }, ...operations] };
  }
  if (!isRecord(body)) return { type, body };
  const { metadata = {} } = body;
  // A version that the patch itself asks for counts.
  return isRecord(metadata) ? { type, body: { ...body, metadata: { resourceVersion, ...metadata } } } : { type, body };
}
