import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseApplication } from './application/check.ts';
import { parseApplicationSet } from './application-set/check.ts';
import { parseJson } from './json.ts';
import { listAt, stringAt } from './object.ts';
import { parseAppProject } from './project/check.ts';
import { type Checked, describeFinding, type ParseOptions } from './schema/findings.ts';
import { parseYamlDocuments, stringifyYaml } from './yaml.ts';

const parsers: Readonly<Record<string, (value: unknown, options: ParseOptions) => Checked<unknown>>> = {
  Application: parseApplication,
  ApplicationSet: parseApplicationSet,
  AppProject: parseAppProject,
};

const ours = (file: string): { document: unknown; parse: (options: ParseOptions) => Checked<unknown> }[] =>
  parseYamlDocuments(readFileSync(file, 'utf8'), file).flatMap((document) => {
    const parse = parsers[stringAt(document, 'kind') ?? ''];
    return parse === undefined ? [] : [{ document, parse: (options: ParseOptions) => parse(document, options) }];
  });

function outcome({ problems, warnings }: Checked<unknown>): string {
  if (problems.length > 0) return 'reject';
  return warnings.length > 0 ? 'warn' : 'accept';
}

const corpus = process.env['TIPHYS_MANIFESTS'] ?? join(import.meta.dirname, '../../../../shared/manifests');
const absent = existsSync(join(corpus, 'index.json')) ? false : 'the manifest corpus is not beside the project';

describe('the manifest corpus', { skip: absent }, () => {
  const index = absent === false ? listAt(parseJson(readFileSync(join(corpus, 'index.json'), 'utf8')), 'files') : [];
  for (const entry of index) {
    const file = stringAt(entry, 'file') ?? '';
    const expected = stringAt(entry, 'expect') ?? '';
    // Fragments and abbreviated objects are no complete objects yet.
    if (!file.endsWith('.yaml') || file.includes('/') || !['accept', 'warn', 'reject'].includes(expected)) continue;
    const documents = ours(join(corpus, file));
    if (documents.length === 0) continue;
    const ids = listAt(entry, 'requirements').filter((id) => String(id).startsWith('APP-0'));
    test(`${[...ids, file].join(' ')} is ${expected}ed`, () => {
      for (const { parse } of documents) {
        const read = parse({ mode: 'create' });
        assert.equal(outcome(read), expected, [...read.problems, ...read.warnings].map(describeFinding).join('\n'));
        assert.equal(outcome(parse({ mode: 'read' })), expected);
      }
    });
  }
});

describe('objects as users have them', () => {
  const folder = join(import.meta.dirname, 'testdata');
  for (const file of readdirSync(folder))
    for (const { document, parse } of ours(join(folder, file))) {
      const name = `${file}: ${stringAt(document, 'kind') ?? ''} ${stringAt(document, 'metadata', 'name') ?? ''}`;
      test(`APP-01 ${name} is accepted unchanged`, () => {
        const read = parse({ mode: 'create' });
        assert.deepEqual([...read.problems, ...read.warnings].map(describeFinding), []);
        assert.deepEqual(parseYamlDocuments(stringifyYaml(read.value))[0], document);
      });
    }
});
