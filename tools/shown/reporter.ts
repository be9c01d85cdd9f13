import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { readRecord, type TestResult } from './record.ts';

/**
 * A reporter for node's test runner that prints nothing: it writes each test's result to TIPHYS_TEST_RECORD (replacing
 * the earlier results of the same files only, so that a run of one file keeps the rest) and the sum to TIPHYS_TEST_SUM.
 */
// node's runner takes the default export of a reporter file.
// eslint-disable-next-line no-restricted-syntax
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const results: TestResult[] = [];
  const names: string[] = [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const event of events) {
    if (event.type === 'test:start') names.splice(event.data.nesting, Infinity, event.data.name);
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { data } = event;
      const skipped = (data.skip ?? data.todo ?? false) !== false;
      // A suite is its tests; but one that is skipped never says what they would have been.
      if (data.details.type === 'suite' && !skipped) continue;
      const outcome = skipped ? 'skipped' : event.type === 'test:pass' ? 'passed' : 'failed';
      counts[outcome] += 1;
      results.push({
        name: [...names.slice(0, data.nesting), data.name],
        file: data.file === undefined ? '' : relative(process.cwd(), data.file),
        outcome,
      });
    }
  }
  save(results);
  const sum = process.env['TIPHYS_TEST_SUM'];
  if (sum !== undefined) writeFileSync(sum, `${JSON.stringify(counts)}\n`);
  yield '';
}

function save(results: readonly TestResult[]): void {
  const file = process.env['TIPHYS_TEST_RECORD'];
  if (file === undefined) return;
  const ran = new Set(results.map((result) => result.file));
  const earlier = readRecord(file);
  const hashes = Object.fromEntries([...ran].filter((path) => path !== '').map((path) => [path, hashOf(path)]));
  const record = {
    endedAt: new Date().toISOString(),
    hashes: { ...earlier.hashes, ...hashes },
    results: [...earlier.results.filter((result) => !ran.has(result.file)), ...results],
  };
  writeFileSync(file, `${JSON.stringify(record, null, 1)}\n`);
}

function hashOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return '';
  }
}
