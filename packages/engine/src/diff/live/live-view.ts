import type { GroupKind, GroupVersionKind, KubeObject, ResourceKey } from '@tiphys/api';
import type { Discovery } from '@tiphys/kube';
import type { OwnWrite } from './recent-writes.ts';

/** What charts may ask about a cluster (`.Capabilities`), and what the build environment tells. */
export type ClusterFacts = Readonly<{
  /** `v1.35.4`, as the server says. */
  kubeVersion: string;
  /** `group/version` and `group/version/Kind` of all that is served, sorted. */
  apiVersions: readonly string[];
}>;

/** A kind, and the version in which somebody desires it. */
export type WantedKind = GroupKind & Readonly<{ version?: string }>;

/** The live side of one cluster, as compare and sync read it. Never writes. */
export interface LiveView {
  /** URL of the API server, for messages. */
  readonly server: string;
  discovery(signal: AbortSignal): Promise<Discovery>;
  facts(signal: AbortSignal): Promise<ClusterFacts>;
  /**
   * Resolves when the objects of these kinds are known and current. Kinds that the cluster does not serve are passed over. A
   * version that is named and not known makes it look anew: the kind may be served in another one by now.
   * @throws KubeError when the cluster cannot be read: an unreachable cluster is never an empty one
   */
  ensure(kinds: readonly WantedKind[], signal: AbortSignal): Promise<void>;
  /** Every live object of a watched kind that carries the mark of an application (`instance` is the tracking name). */
  managed(instance: string): readonly KubeObject[];
  /** One object in the version that is asked for; undefined when it is not there. */
  get(
    gvk: GroupVersionKind,
    name: Readonly<{ namespace: string; name: string }>,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined>;
  /**
   * Whether every listable kind has been searched for tracking marks. Until then an object of a kind that nobody declares any
   * more could be missed, so nothing may be called Synced.
   */
  readonly complete: boolean;
}

/**
 * A live object changed: one of an application (by tracking name), or one without a mark, which somebody may desire. `write`: it
 * is as a write of ours for that application left it, and nobody else has touched it in between.
 */
export type LiveChange = Readonly<{ instance: string | undefined; key: ResourceKey; write?: OwnWrite | undefined }>;
