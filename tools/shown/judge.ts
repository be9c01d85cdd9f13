/** Through what a test looked at the program. Only a door shows a requirement; a table of a pure function does not. */
export type Door = 'cluster' | 'cli' | 'http' | 'unit table';

/** One requirement named by one test, and how that went. */
export type Showing = Readonly<{
  id: string;
  file: string;
  door: Door;
  cluster: 'embedded' | 'real' | 'none';
  outcome: 'passed' | 'failed' | 'skipped' | 'stale' | 'not run';
}>;

export type Verdict = Readonly<{
  id: string;
  files: readonly string[];
  doors: readonly Door[];
  clusters: readonly string[];
  /** Why it does not count; absent when it is shown. */
  because?: string;
}>;

/** Groups of which every requirement is about what happens in a cluster: these must be shown on the real control plane. */
const clusterGroups = new Set(
  'CORE ANN REC DIFF SYNC WIN HEALTH ACT APP PROJ GEN CLUS HIST ROLL ANA TRAF SEAL ESO DR'.split(' '),
);

const doorsByPlace: readonly (readonly [RegExp, Door])[] = [
  [/\.cli\.test\.ts$/, 'cli'],
  [/\.http\.test\.ts$/, 'http'],
  [/\.cluster\.test\.ts$/, 'cluster'],
  [/^test\/conformance\//, 'cluster'],
  [/^test\/e2e\//, 'cli'],
];

/** The door of a test, by its file's name, else by its folder. CONTRIBUTING.md tells authors. */
export const doorOf = (file: string): Door => doorsByPlace.find(([place]) => place.test(file))?.[1] ?? 'unit table';

/** The IDs at the beginning of a test's name: `SYNC-12 prunes last`, `SYNC-12, SYNC-13: ...`. */
export function requirementsNamed(name: string): string[] {
  const lead = /^[A-Z]+-\d+(?:(?:,|\/| and)? ?[A-Z]+-\d+)*/.exec(name)?.[0] ?? '';
  return lead.match(/[A-Z]+-\d+/g) ?? [];
}

/** Whether a requirement is shown, and if not, what is missing first. */
export function judge(id: string, showings: readonly Showing[]): Verdict {
  const passed = showings.filter(({ outcome }) => outcome === 'passed');
  const throughDoor = passed.filter(({ door }) => door !== 'unit table');
  const told = throughDoor.length > 0 ? throughDoor : passed.length > 0 ? passed : showings;
  const verdict = {
    id,
    files: unique(told.map(({ file }) => file)),
    doors: unique(told.map(({ door }) => door)),
    clusters: unique(throughDoor.map(({ cluster }) => cluster)),
  };
  const because = reasonAgainst(id, showings, throughDoor);
  return because === undefined ? verdict : { ...verdict, because };
}

function reasonAgainst(id: string, all: readonly Showing[], throughDoor: readonly Showing[]): string | undefined {
  if (all.length === 0) return 'no test';
  if (all.some(({ outcome }) => outcome === 'failed')) return 'a test fails';
  if (!all.some(({ outcome }) => outcome === 'passed')) {
    return all.some(({ outcome }) => outcome === 'stale') ? 'stale: run it again' : 'not run';
  }
  if (throughDoor.length === 0) return 'unit table only';
  if (clusterGroups.has(id.replace(/-\d+$/, '')) && !throughDoor.some(({ cluster }) => cluster === 'real'))
    return 'not on the real one';
  return undefined;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)].sort();
