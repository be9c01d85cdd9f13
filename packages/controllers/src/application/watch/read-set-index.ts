/** What a render read of one repository: files and folders, from the root, without a leading slash; '' is the whole tree. */
export type ReadSet = Readonly<{ repository: string; paths: readonly string[] }>;

/** Which applications a commit can touch. The cost of a question grows with the changed paths, not with the applications. */
export interface ReadSetIndex {
  /** Replaces what an application reads. */
  set(application: string, reads: readonly ReadSet[]): void;
  remove(application: string): void;
  /** Applications that read one of the paths, or a folder above one, or something below one that became a file. */
  affected(repository: string, changedPaths: readonly string[]): Set<string>;
  /** Applications that read anything of a repository. */
  readersOf(repository: string): readonly string[];
}

export function openReadSetIndex(): ReadSetIndex {
  const readers = new Map<string, Map<string, Set<string>>>();
  const reads = new Map<string, readonly ReadSet[]>();

  const remove = (application: string): void => {
    for (const { repository, paths } of reads.get(application) ?? []) {
      const byPath = readers.get(repository);
      for (const path of paths) {
        const set = byPath?.get(path);
        set?.delete(application);
        if (set?.size === 0) byPath?.delete(path);
      }
      if (byPath?.size === 0) readers.delete(repository);
    }
    reads.delete(application);
  };

  return {
    remove,
    set: (application, sets) => {
      remove(application);
      reads.set(application, sets);
      for (const { repository, paths } of sets) {
        const byPath = readers.get(repository) ?? new Map<string, Set<string>>();
        readers.set(repository, byPath);
        for (const path of paths) {
          const set = byPath.get(path) ?? new Set<string>();
          byPath.set(path, set);
          set.add(application);
        }
      }
    },
    affected: (repository, changedPaths) => {
      const found = new Set<string>();
      const byPath = readers.get(repository);
      if (byPath === undefined) return found;
      const asked = new Set<string>();
      for (const changed of changedPaths)
        for (const path of selfAndAbove(changed)) {
          if (asked.has(path)) break;
          asked.add(path);
          for (const application of byPath.get(path) ?? []) found.add(application);
        }
      return found;
    },
    readersOf: (repository) => {
      const byPath = readers.get(repository);
      return byPath === undefined ? [] : [...new Set([...byPath.values()].flatMap((set) => [...set]))];
    },
  };
}

/** `a/b/c`, `a/b`, `a` and the root. */
function* selfAndAbove(path: string): Generator<string> {
  let here = path;
  for (;;) {
    yield here;
    if (here === '') return;
    const slash = here.lastIndexOf('/');
    here = slash < 0 ? '' : here.slice(0, slash);
  }
}
