import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { doorOf, judge, requirementsNamed, type Showing, type Verdict } from './judge.ts';
import { readRecord } from './record.ts';

/*
 * shown.ts            every requirement that a test shows: ID, test file, door, clusters; then the sum of each group
 * shown.ts --missing  those that no test shows
 * shown.ts SYNC DIFF  only these groups
 */

/** IDs of the catalogue, in its order: `- **SYNC-01 - ...` or a table row `| CFG-01 | ...`. */
function readCatalogue(): string[] {
  const text = readFileSync('docs/requirements.md', 'utf8');
  return [...text.matchAll(/^(?:- \*\*|\| )([A-Z]+-\d+)(?: - | \|)/gm)].map((match) => match[1] ?? '');
}

/** What tests claim, from their text: an ID at the beginning of a name. Shows tests that no run has recorded. */
function readClaims(): Showing[] {
  const files = globSync(['packages/*/src/**/*.{test,suite}.ts', 'test/**/*.{test,suite}.ts']).sort();
  return files.flatMap((file) =>
    [
      ...readFileSync(file, 'utf8').matchAll(/\b(?:test|it|describe|suite)(?:\.\w+)?\(\s*['"`]([A-Z]+-\d[^'"`]*)/g),
    ].flatMap((match) =>
      requirementsNamed(match[1] ?? '').map((id) => ({
        id,
        file,
        door: doorOf(file),
        cluster: 'none' as const,
        outcome: 'not run' as const,
      })),
    ),
  );
}

/** What the last runs recorded; a result counts only while its test file is what it was then. */
function readShowings(): Showing[] {
  return (['embedded', 'real'] as const).flatMap((cluster) => {
    const record = readRecord(`.cache/test-runs/${cluster}.json`);
    return record.results.flatMap(({ name, file, outcome }) => {
      const door = doorOf(file);
      const stale = record.hashes[file] !== hashOf(file);
      const seen = door === 'unit table' ? ('none' as const) : cluster;
      return [...new Set(name.flatMap(requirementsNamed))].map((id) => ({
        id,
        file,
        door,
        cluster: seen,
        outcome: stale ? ('stale' as const) : outcome,
      }));
    });
  });
}

function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return 'gone';
  }
}

function print(verdicts: readonly Verdict[]): void {
  const rows = verdicts
    .filter((verdict) => verdict.files.length > 0)
    .map(({ id, files, doors, clusters, because }) => [
      id,
      because ?? 'shown',
      doors.join(','),
      clusters.join(',') || '-',
      files.join(' '),
    ]);
  const all = [['ID', 'VERDICT', 'DOOR', 'CLUSTERS', 'FILE'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)) + 2);
  for (const row of all)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('')
        .trimEnd(),
    );
}

const words = process.argv.slice(2);
const groups = words.filter((word) => !word.startsWith('-'));
const catalogue = readCatalogue();
const showings = [...readShowings(), ...readClaims()];
const chosen = catalogue.filter((id) => groups.length === 0 || groups.includes(id.replace(/-\d+$/, '')));
const verdicts = chosen.map((id) =>
  judge(
    id,
    showings.filter((showing) => showing.id === id),
  ),
);

if (words.includes('--missing'))
  for (const { id, because } of verdicts) if (because !== undefined) console.log(`${id}  ${because}`);
if (!words.includes('--missing')) print(verdicts);

console.log('');
for (const group of new Set(chosen.map((id) => id.replace(/-\d+$/, '')))) {
  const members = verdicts.filter(({ id }) => id.startsWith(`${group}-`));
  const shown = members.filter(({ because }) => because === undefined).length;
  if (shown > 0 || groups.length > 0) console.log(`${group}: ${shown} of ${members.length}`);
}
console.log(
  `${verdicts.filter(({ because }) => because === undefined).length} of ${verdicts.length} requirements shown`,
);

const known = new Set(catalogue);
const invented = showings.filter(({ id }) => !known.has(id));
for (const { id, file } of invented) console.error(`${file} names ${id}, which docs/requirements.md does not have`);
if (invented.length > 0) process.exitCode = 1;
