import { keyText, type ResourceKey } from '@tiphys/api';

/** An object that several applications desire. */
export type SharedObject = Readonly<{ key: ResourceKey; others: readonly string[] }>;

/** Which applications desire an object, so that a change of one that bears no mark finds them, and two that desire the same do. */
export interface DesiredIndex {
  /** Replaces what an application desires on a cluster. */
  set(application: string, server: string, keys: readonly ResourceKey[]): void;
  remove(application: string): void;
  /** Applications that desire an object, whoever's mark it bears. */
  of(server: string, key: ResourceKey): readonly string[];
  /** Objects that others desire too, with their names. */
  shared(application: string): readonly SharedObject[];
}

type Own = Readonly<{ server: string; keys: readonly ResourceKey[] }>;

const idOf = (server: string, key: ResourceKey): string => `${server} ${keyText(key)}`;

export function openDesiredIndex(): DesiredIndex {
  const byObject = new Map<string, Set<string>>();
  const byApplication = new Map<string, Own>();

  const remove = (application: string): void => {
    const { server = '', keys = [] } = byApplication.get(application) ?? {};
    for (const key of keys) {
      const id = idOf(server, key);
      const set = byObject.get(id);
      set?.delete(application);
      if (set?.size === 0) byObject.delete(id);
    }
    byApplication.delete(application);
  };
  const of = (server: string, key: ResourceKey): readonly string[] => [...(byObject.get(idOf(server, key)) ?? [])];

  return {
    remove,
    of,
    set: (application, server, keys) => {
      // The same list is handed over as long as nothing was rendered anew.
      const known = byApplication.get(application);
      if (known?.keys === keys && known.server === server) return;
      remove(application);
      byApplication.set(application, { server, keys });
      for (const key of keys) {
        const id = idOf(server, key);
        const set = byObject.get(id) ?? new Set<string>();
        byObject.set(id, set);
        set.add(application);
      }
    },
    shared: (application) => {
      const { server = '', keys = [] } = byApplication.get(application) ?? {};
      return keys.flatMap((key) => {
        const set = byObject.get(idOf(server, key));
        if (set === undefined || set.size < 2) return [];
        return [{ key, others: [...set].filter((other) => other !== application) }];
      });
    },
  };
}
