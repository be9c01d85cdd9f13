import { type ApplicationStatus, at, isRecord, type KubeObject, mergePatch, type Operation } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import type { ApplicationStore, StoredApplication } from '../watch/application-store.ts';

/** What a pass wants stored. A field that is left out stays as it is. */
export type Desired = Readonly<{
  status?: ApplicationStatus;
  /** null takes the operation away. */
  operation?: Operation | null;
  /** Annotations to take away. */
  dropAnnotations?: readonly string[];
  finalizers?: readonly string[];
}>;

/** Fields that alone are no reason to write: a comparison that found nothing new costs the API server nothing. */
const idle = new Set(['reconciledAt', 'observedAt']);

function statusPatch(before: unknown, after: ApplicationStatus): Record<string, unknown> | undefined {
  const patch = mergePatch(before ?? {}, after);
  if (!isRecord(patch)) return undefined;
  return Object.keys(patch).every((field) => idle.has(field)) ? undefined : patch;
}

function patchFor(
  { raw }: StoredApplication,
  { status, operation, dropAnnotations = [], finalizers }: Desired,
): Record<string, unknown> | undefined {
  const changed = status === undefined ? undefined : statusPatch(raw.status, status);
  const dropped = dropAnnotations.filter((name) => raw.metadata.annotations?.[name] !== undefined);
  const metadata = {
    ...(dropped.length > 0 && { annotations: Object.fromEntries(dropped.map((name) => [name, null])) }),
    ...(finalizers !== undefined && { finalizers: [...finalizers] }),
  };
  const ends = operation === null && raw.operation !== undefined;
  // A requested refresh is answered with a time, even where nothing else changed.
  const answered =
    dropped.length > 0 && status?.reconciledAt !== undefined ? { reconciledAt: status.reconciledAt } : {};
  const body = {
    ...((changed !== undefined || Object.keys(answered).length > 0) && { status: { ...changed, ...answered } }),
    ...(ends && { operation: null }),
    ...(operation !== undefined && operation !== null && { operation }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
  return Object.keys(body).length === 0 ? undefined : body;
}

/**
 * Stores what changed, in one merge patch, and nothing when nothing did. Whoever takes away `operation`, finalizers or annotations
 * says on which version that was decided: a request that came in between must not be lost.
 * @throws KubeError kube/conflict, kube/not-found
 */
export async function persist(
  stored: StoredApplication,
  desired: Desired,
  ports: Readonly<{ client: KubeClient; store: ApplicationStore; signal: AbortSignal }>,
): Promise<StoredApplication> {
  const body = patchFor(stored, desired);
  if (body === undefined) return stored;
  const { name = '', namespace, resourceVersion } = stored.raw.metadata;
  const guarded = 'operation' in body || at(body, 'metadata') !== undefined;
  const metadata = isRecord(body.metadata) ? body.metadata : {};
  const patch = guarded ? { ...body, metadata: { ...metadata, resourceVersion } } : body;
  const ref = { gvk: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' }, namespace, name };
  const object: KubeObject = await ports.client.patch(
    ref,
    { type: 'merge', body: patch },
    { signal: ports.signal, fieldManager: 'argocd-application-controller' },
  );
  return ports.store.written(object);
}
