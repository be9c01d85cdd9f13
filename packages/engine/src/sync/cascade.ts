import {
  isCascading,
  keyOf,
  keyText,
  type KubeObject,
  listAt,
  mapLimited,
  type ResourceKey,
  stringAt,
} from '@tiphys/api';

/** Reads another live Application; undefined when there is none. */
export type FindApplication = (key: ResourceKey) => Promise<KubeObject | undefined>;

const isApplication = ({ group, kind }: ResourceKey): boolean => group === 'argoproj.io' && kind === 'Application';

/** What its own status says that an Application manages and that is there; definitions stay in any case. */
const managedBy = (application: KubeObject): readonly ResourceKey[] =>
  listAt(application, 'status', 'resources').flatMap((row) => {
    const field = (name: string): string => stringAt(row, name) ?? '';
    const key = { group: field('group'), kind: field('kind'), namespace: field('namespace'), name: field('name') };
    const isThere = stringAt(row, 'health', 'status') !== 'Missing';
    return isThere && key.kind !== 'CustomResourceDefinition' ? [key] : [];
  });

/** Applications that are read side by side. */
const concurrency = 8;

async function count(application: KubeObject, find: FindApplication, seen: Set<string>): Promise<number> {
  const own = keyText(keyOf(application));
  if (seen.has(own) || !(application.metadata.finalizers ?? []).some(isCascading)) return 0;
  seen.add(own);
  const keys = managedBy(application);
  const below = await mapLimited(keys.filter(isApplication), concurrency, async (key) => {
    const child = await find(key);
    return child === undefined ? 0 : count(child, find, seen);
  });
  return below.reduce((sum, one) => sum + one, keys.length);
}

/**
 * How many objects go with an object that is deleted (requirement APP-16): those of an Application whose finalizer says so, its
 * children's among them where theirs do; of anything else none that are known.
 */
export const objectsGoingWith = (live: KubeObject, find: FindApplication): Promise<number> =>
  isApplication(keyOf(live)) ? count(live, find, new Set()) : Promise.resolve(0);
