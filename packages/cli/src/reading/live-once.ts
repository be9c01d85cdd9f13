import {
  formatApiVersion,
  type GroupKind,
  groupKindText,
  keyOf,
  keyText,
  type KubeObject,
  mapLimited,
  trackedBy,
  type TrackingSettings,
} from '@tiphys/api';
import type { LiveView } from '@tiphys/engine';
import type { ApiResource, KubeClient } from '@tiphys/kube';

/** Lists that are read at the same time. */
const concurrency = 6;

const isListable = ({ verbs }: ApiResource): boolean => verbs.includes('list');

/**
 * The live side of a cluster, read once: a comparison that is made and forgotten needs lists, but no watches. Of each list only
 * what an application manages is kept.
 */
export function openLiveOnce(client: KubeClient, tracking: TrackingSettings): LiveView {
  const listed = new Map<string, Promise<void>>();
  const tracked = new Map<string, KubeObject>();
  const list = async (resource: ApiResource, signal: AbortSignal): Promise<void> => {
    await client.listEach(resource, { signal }, (object) => {
      if (trackedBy(object, tracking) !== undefined) tracked.set(keyText(keyOf(object)), object);
    });
  };
  return {
    server: client.server,
    complete: true,
    discovery: (signal) => client.discovery({ signal }),
    facts: async (signal) => {
      const [{ gitVersion }, { resources }] = await Promise.all([
        client.version({ signal }),
        client.discovery({ signal }),
      ]);
      const served = resources.flatMap(({ group, version, kind }) => {
        const apiVersion = formatApiVersion(group, version);
        return [apiVersion, `${apiVersion}/${kind}`];
      });
      return { kubeVersion: gitVersion, apiVersions: [...new Set(served)].sort() };
    },
    ensure: async (kinds: readonly GroupKind[], signal) => {
      const { byGroupKind } = await client.discovery({ signal });
      const open = kinds.flatMap((kind) => {
        const resource = byGroupKind(kind);
        return resource === undefined || !isListable(resource) ? [] : [resource];
      });
      await mapLimited(open, concurrency, async (resource) => {
        const id = groupKindText(resource);
        const listing = listed.get(id) ?? list(resource, signal);
        listed.set(id, listing);
        await listing;
      });
    },
    managed: (instance) => [...tracked.values()].filter((object) => trackedBy(object, tracking) === instance),
    get: (gvk, { namespace, name }, signal) => client.get({ gvk, namespace, name }, { signal }),
  };
}
