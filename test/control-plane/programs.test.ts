import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { buildProgram } from './programs.ts';

/** Stands for Go: says a version, and writes down each build. */
const go = `#!/bin/sh
here=$(dirname "$0")
if [ "$1" = version ]; then cat "$here/version"; exit; fi
echo "$*" >> "$here/builds"
while [ "$1" != -o ]; do shift; done
[ -e "$here/breaks" ] && { echo 'main.go:1: broken' >&2; exit 1; }
echo built > "$2"
`;

describe('the programs of the control plane', () => {
  let folder = '';
  const before = { go: process.env['TIPHYS_GO'], cache: process.env['TIPHYS_CACHE_DIR'] };
  const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  const restore = (name: string, value: string | undefined): void => {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tiphys-programs-'));
    await put('go', go);
    await chmod(join(folder, 'go'), 0o755);
    await put('version', 'go version go1.25.1\n');
    process.env['TIPHYS_GO'] = join(folder, 'go');
    process.env['TIPHYS_CACHE_DIR'] = join(folder, 'cache');
  });
  afterEach(async () => {
    restore('TIPHYS_GO', before.go);
    restore('TIPHYS_CACHE_DIR', before.cache);
    await rm(folder, { recursive: true, force: true });
  });

  const told: string[] = [];
  const build = (program: 'kubernetes' | 'stand-ins'): Promise<string> =>
    buildProgram(program, { signal: AbortSignal.timeout(30_000), onProgress: (line) => told.push(line) });
  const builds = async (): Promise<string[]> => (await readFile(join(folder, 'builds'), 'utf8')).trimEnd().split('\n');

  test('are built once, and again when what they are made of has changed', async () => {
    const [first, beside] = await Promise.all([build('kubernetes'), build('kubernetes')]);
    assert.equal(first, beside);
    assert.equal(await readFile(first, 'utf8'), 'built\n');
    assert.equal(await build('kubernetes'), first);
    assert.equal((await builds()).length, 1);
    assert.match((await builds())[0] ?? '', /component-base\/version\.gitVersion=v1\.35\.4/);

    const other = await build('stand-ins');
    assert.notEqual(dirname(other), dirname(first));
    await put('version', 'go version go1.26.0\n');
    assert.notEqual(await build('kubernetes'), first);
    assert.equal((await builds()).length, 3);
  });

  test('a build that fails says why, leaves nothing that would be taken for a program, and may be tried again', async () => {
    await put('breaks', '');
    await assert.rejects(build('kubernetes'), { code: 'build-failed', message: /main\.go:1: broken/ });
    await rm(join(folder, 'breaks'));
    assert.equal(await readFile(await build('kubernetes'), 'utf8'), 'built\n');
  });
});
