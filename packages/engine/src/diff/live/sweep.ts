import {
  formatApiVersion,
  type GroupKind,
  groupKindText,
  isCoded,
  type Logger,
  messageOf,
  trackedBy,
  type TrackingSettings,
} from '@tiphys/api';
import type { ApiResource, KubeClient } from '@tiphys/kube';
import { shapeOfKind } from '../field-shape.ts';

/** Whether a kind is left out altogether (`resource.exclusions`). */
export type ExcludedKinds = (gk: GroupKind) => boolean;

export type SweepRequest = Readonly<{
  resources: readonly ApiResource[];
  tracking: TrackingSettings;
  excluded: ExcludedKinds;
  watched: (gk: GroupKind) => boolean;
}>;

/** Kinds listed at the same time. */
const concurrency = 6;

/** Kinds that hold a tracked object, and custom or aggregated ones that could not be asked. */
export type Swept = Readonly<{ marked: readonly ApiResource[]; unsearched: readonly ApiResource[] }>;

/** A kind of the cluster itself: when it cannot be listed, nothing can. */
const isBuiltIn = ({ group, version, kind }: ApiResource): boolean =>
  shapeOfKind({ apiVersion: formatApiVersion(group, version), kind }) !== undefined;

/**
 * Lists the metadata of every listable kind that is not watched, page by page, and names those that hold a tracked object.
 * Without this an object whose kind left Git while the controller was down would be forgotten. A kind whose own server or
 * conversion webhook is down does not keep the others from being searched.
 * @throws KubeError when a built-in kind cannot be listed (a kind that we may not read holds nothing that we could have written)
 */
export async function sweepForMarks(
  request: SweepRequest,
  ports: Readonly<{ client: KubeClient; log: Logger }>,
  signal: AbortSignal,
): Promise<Swept> {
  const { tracking, excluded, watched } = request;
  const open = request.resources.filter(
    (resource) =>
      resource.preferred &&
      ['list', 'watch'].every((verb) => resource.verbs.includes(verb)) &&
      !excluded(resource) &&
      !watched(resource),
  );
  const marked: ApiResource[] = [];
  const unsearched: ApiResource[] = [];
  const search = async (): Promise<void> => {
    for (let resource = open.shift(); resource !== undefined; resource = open.shift()) {
      const { group, kind } = resource;
      try {
        const found = new Set<string>();
        await ports.client.listEach(resource, { metadataOnly: true, signal }, (object) => {
          // Metadata-only answers carry the kind PartialObjectMetadata; the mark names the real one.
          const real = { ...object, apiVersion: formatApiVersion(group, resource.version), kind };
          const instance = trackedBy(real, tracking);
          if (instance !== undefined) found.add(instance);
        });
        if (found.size > 0) marked.push(resource);
      } catch (error) {
        if (isCoded(error, 'kube/server-error') && !isBuiltIn(resource)) unsearched.push(resource);
        else if (!mayPassOver(error)) throw error;
        ports.log.warn('kind left out of the search for tracked objects', {
          kind: groupKindText(resource),
          error: messageOf(error),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, search));
  return { marked, unsearched };
}

const passable = new Set(['kube/forbidden', 'kube/not-found', 'kube/kind-not-found', 'kube/invalid']);

const mayPassOver = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && passable.has(error.code);
