import { keyText, type ResourceKey } from '@tiphys/api';

/** An object that several applications desire. */
export type SharedObject = Readonly<{ key: ResourceKey; others: readonly string[] }>;

/** Which applications desire an object, so that a change of one that bears no mark finds them, and two that desire the same do. */
export interface DesiredIndex {
  /** Replaces what an application desires on a cluster. Answers the objects that it began or ceased to share, and with whom. */
  set(application: string, server: string, keys: readonly ResourceKey[]): readonly SharedObject[];
  /** Answers what it shared, and with whom. */
  remove(application: string): readonly SharedObject[];
  /** Applications that desire an object, whoever's mark it bears. */
  of(server: string, key: ResourceKey): readonly string[];
  /** Objects that others desire too, with their names. */
  shared(application: string): readonly SharedObject[];
}

type Own = Readonly<{ server: string; keys: readonly ResourceKey[] }>;

const nothing: Own = { server: '', keys: [] };

const idOf = (server: string, key: ResourceKey): string => `${server} ${keyText(key)}`;

const byId = ({ server, keys }: Own): Map<string, ResourceKey> => new Map(keys.map((key) => [idOf(server, key), key]));

export function openDesiredIndex(): DesiredIndex {
  const byObject = new Map<string, Set<string>>();
  const byApplication = new Map<string, Own>();

  const leave = (application: string, id: string): readonly string[] => {
    const set = byObject.get(id);
    set?.delete(application);
    if (set?.size === 0) byObject.delete(id);
    return [...(set ?? [])];
  };
  const join = (application: string, id: string): readonly string[] => {
    const set = byObject.get(id) ?? new Set<string>();
    const others = [...set];
    byObject.set(id, set.add(application));
    return others;
  };
  const replace = (application: string, now: Own): readonly SharedObject[] => {
    const [old, wanted] = [byId(byApplication.get(application) ?? nothing), byId(now)];
    const moved = [
      ...[...old].flatMap(([id, key]) => (wanted.has(id) ? [] : [{ key, others: leave(application, id) }])),
      ...[...wanted].flatMap(([id, key]) => (old.has(id) ? [] : [{ key, others: join(application, id) }])),
    ];
    return moved.filter(({ others }) => others.length > 0);
  };

  return {
    of: (server, key) => [...(byObject.get(idOf(server, key)) ?? [])],
    remove: (application) => {
      const moved = replace(application, nothing);
      byApplication.delete(application);
      return moved;
    },
    set: (application, server, keys) => {
      // The same list is handed over as long as nothing was rendered anew.
      const known = byApplication.get(application);
      if (known?.keys === keys && known.server === server) return [];
      const moved = replace(application, { server, keys });
      byApplication.set(application, { server, keys });
      return moved;
    },
    shared: (application) => {
      const { server, keys } = byApplication.get(application) ?? nothing;
      return keys.flatMap((key) => {
        const set = byObject.get(idOf(server, key));
        if (set === undefined || set.size < 2) return [];
        return [{ key, others: [...set].filter((other) => other !== application) }];
      });
    },
  };
}
