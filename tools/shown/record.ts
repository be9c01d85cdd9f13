import { readFileSync } from 'node:fs';

/** One test that ran. `name` is its path: the suites around it, outermost first, then itself. */
export type TestResult = Readonly<{
  name: readonly string[];
  /** Relative to the clone. */
  file: string;
  outcome: 'passed' | 'failed' | 'skipped';
}>;

/** What the last runs against one cluster showed; `hashes` are of the test files as they were then. */
export type TestRecord = Readonly<{
  endedAt: string;
  hashes: Readonly<Record<string, string>>;
  results: readonly TestResult[];
}>;

/** The record in a file; an empty one when there is none. Only our own reporter writes it. */
export function readRecord(file: string): TestRecord {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TestRecord;
  } catch {
    return { endedAt: '', hashes: {}, results: [] };
  }
}
