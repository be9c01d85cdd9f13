import { type KubeObject } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';

/** An object by kind and name, as status fields and trees have it. */
export type LiveRef = Readonly<{ group?: string; version?: string; kind?: string; namespace?: string; name?: string }>;

/** An object's identity as a map key. */
export const refText = ({ group = '', kind = '', namespace = '', name = '' }: LiveRef): string =>
  [group, kind, namespace, name].join('/');

/** Objects of one kind in one namespace; from this many on they are listed instead of read one by one. */
const worthListing = 4;

async function readGroup(
  client: KubeClient,
  group: readonly LiveRef[],
  signal: AbortSignal,
): Promise<readonly (readonly [string, KubeObject | undefined])[]> {
  const [{ group: apiGroup = '', version = '', kind = '', namespace } = {}] = group;
  const gvk = { group: apiGroup, version, kind };
  if (group.length < worthListing)
    return Promise.all(
      group.map(async (ref) => {
        const live = await client.get({ gvk, namespace, name: ref.name ?? '' }, { signal });
        return [refText(ref), live] as const;
      }),
    );
  const wanted = new Set(group.map(({ name = '' }) => name));
  const byName = new Map<string, KubeObject>();
  await client.listEach(await client.resourceFor(gvk, { signal }), { namespace, signal }, (object) => {
    const { name = '' } = object.metadata;
    if (wanted.has(name)) byName.set(name, object);
  });
  return group.map((ref) => [refText(ref), byName.get(ref.name ?? '')] as const);
}

/** Reads objects from a cluster, by `refText`; undefined for one that is not there. */
export async function readObjects(
  client: KubeClient,
  refs: readonly LiveRef[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KubeObject | undefined>> {
  const groups = Map.groupBy(refs, (ref) => `${ref.version ?? ''} ${refText({ ...ref, name: '' })}`);
  const read = await Promise.all(groups.values().map((group) => readGroup(client, group, signal)));
  return new Map(read.flat());
}
