import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { canonicalJson, CodedError, stringifyYaml } from '@tiphys/api';
import { rendererDefaults } from '../renderer-settings.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { Workbench } from '../workbench.suite.ts';
import { type Decoder, type DecodeSettings, openDecoder } from './decoder.ts';

const canary = 'CANARY-51c0de';
process.env['TIPHYS_TEST_CANARY'] = canary;

const { decode, path } = rendererDefaults;
const bench = new Workbench();
const sandbox = await bench.sandbox();
const opened: Decoder[] = [];
after(async () => {
  await Promise.all(opened.map((decoder) => decoder.close()));
  await bench.close();
});

async function open(settings: Partial<DecodeSettings> = {}, within: Sandbox = sandbox): Promise<Decoder> {
  const decoder = await openDecoder({ ...decode, path, ...settings }, within);
  opened.push(decoder);
  return decoder;
}

const text = (name: string, content: string) => ({ name, content: Buffer.from(content) });
const object = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const manifest = (name: string, more = ''): string => `${stringifyYaml(object(name))}${more}`;
/** Small to write, quick to refuse, and enormous when it is written out. */
const aliasBomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(10)}]`),
].join('\n');
/** Reading it takes many seconds on any machine. */
const endless = (): string => manifest('slow', `data: {a: [${'k: v,'.repeat(5_000_000)}]}\n`);

async function fails(work: Promise<unknown>, code: string, ...words: string[]): Promise<void> {
  const error = await work.then(
    () => assert.fail(`expected ${code}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CodedError && error.code === code, String(error));
  for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" names ${word}`);
}

/** Whether a process was started by this one, or by one that was. Tests of other files have workers, too. */
function isOurs(pid: string): boolean {
  if (pid === String(process.pid)) return true;
  // The name of the program stands in brackets before.
  const [, parent = '0'] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return parent !== '0' && isOurs(parent);
}

/** Processes that this one started and that run the decode worker. */
function workers(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('decode/worker.ts') && isOurs(pid)
      );
    } catch {
      return false;
    }
  });
}

describe('the decode worker', () => {
  test('objects come back as they were written: long integers, odd keys, lists taken apart', async () => {
    const decoder = await open();
    const list = { apiVersion: 'v1', kind: 'List', items: [object('a'), { ...object('b'), data: { n: 2n ** 62n } }] };
    const read = await decoder.folder([
      text('list.yaml', stringifyYaml(list)),
      text('odd.yaml', manifest('c', '"__proto__": {x: 1}\n"line\\nbreak": "\\u2028 é 😀"\n')),
      text('notes.yaml', 'just: notes\n'),
    ]);
    assert.equal(
      canonicalJson(read.objects),
      `[${canonicalJson(object('a'))},{"apiVersion":"v1","data":{"n":4611686018427387904},"kind":"ConfigMap","metadata":{"name":"b"}},{"__proto__":{"x":1},"apiVersion":"v1","kind":"ConfigMap","line\\nbreak":"\u2028 é 😀","metadata":{"name":"c"}}]`,
    );
    assert.deepEqual(read.warnings, [
      { kind: 'ignored-file', message: 'notes.yaml was left out: it holds no Kubernetes object' },
    ]);
    assert.match(read.digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(await decoder.document(text('k.yaml', 'a: {b: [1, yes]}')), { a: { b: [1, true] } });
    assert.equal(await decoder.document(text('k.yaml', '')), null);
    const index = 'entries: {monitor: [{version: 1.0.0}, {version: 2.0.0}, {}], none: []}\n';
    assert.deepEqual(Object.fromEntries(await decoder.chartVersions(text('index.yaml', index))), {
      monitor: ['1.0.0', '2.0.0'],
      none: [],
    });
  });

  test('an error names file and line, and for Helm the template', async () => {
    const decoder = await open();
    await fails(
      decoder.folder([text('a.yaml', manifest('a')), text('b.yaml', 'kind: X\n  y: [')]),
      'render/invalid-manifest',
      'b.yaml:2: ',
    );
    const output = '---\n# Source: c/templates/x.yaml\nkind: A\nkey: [\n';
    await fails(
      decoder.output(Buffer.from(output), 'helm'),
      'render/invalid-manifest',
      'c/templates/x.yaml: output of helm:',
    );
    await fails(decoder.document(text('k/kustomization.yaml', 'a: [')), 'api/invalid-yaml', 'k/kustomization.yaml:1: ');
  });

  test('REPO-20 aliases, nesting and size are refused by name, and quickly', async () => {
    const decoder = await open({ maxObjectBytes: 100_000, maxDocumentBytes: 200_000 });
    const started = performance.now();
    for (const [content, word] of [
      [`${manifest('a')}data:\n${aliasBomb.replace(/^/gm, '  ')}\n`, 'larger than'],
      [`${manifest('a')}data: &a {b: *a}\n`, 'leads into itself'],
      [`${manifest('a')}data: ${'['.repeat(5000)}${']'.repeat(5000)}\n`, ''],
    ] as const) {
      await fails(decoder.folder([text('bomb.yaml', content)]), 'render/invalid-manifest', 'bomb.yaml', word);
      await fails(
        decoder.output(Buffer.from(content), 'kustomize'),
        'render/invalid-manifest',
        'output of kustomize',
        word,
      );
      await fails(
        decoder.document(text('k/kustomization.yaml', content)),
        'api/invalid-yaml',
        'k/kustomization.yaml',
        word,
      );
    }
    const deep = `{"apiVersion":"v1","kind":"X","metadata":{"name":"x"},"d":${'{"a":'.repeat(90_000)}1${'}'.repeat(90_000)}}`;
    await fails(decoder.folder([text('deep.json', deep)]), 'render/invalid-manifest', 'deep.json', 'nested deeper');
    const large = manifest('large', `data: {a: ${'x'.repeat(100_001)}}\n`);
    await fails(decoder.folder([text('l.yaml', large)]), 'render/output-too-large', 'l.yaml', 'ConfigMap large');
    await fails(decoder.document(text('big.yaml', '#'.repeat(200_001))), 'render/too-costly', 'big.yaml');
    assert.ok(performance.now() - started < 10_000);
    assert.equal((await decoder.folder([text('a.yaml', manifest('a'))])).objects.length, 1, 'it still answers');
  });

  test('a text that takes for ever is given up by its name, and others are read meanwhile', async () => {
    const decoder = await open({ timeoutMs: 1500 });
    await decoder.document(text('a', 'a: 1'));
    const delay = monitorEventLoopDelay({ resolution: 10 });
    const slow = endless();
    delay.enable();
    const lost = fails(
      decoder.folder([text('f/a.yaml', manifest('a')), text('f/slow.yaml', slow), text('f/z.yaml', manifest('z'))]),
      'render/too-costly',
      'f/slow.yaml: reading it did not end within 1.5 s',
    );
    const started = performance.now();
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, n) => decoder.folder([text(`${n}.yaml`, manifest(`o${n}`))])),
    );
    const tookMs = performance.now() - started;
    assert.equal(others.length, 20);
    await lost;
    delay.disable();
    console.log(
      `20 others took ${Math.round(tookMs)} ms; the event loop was late by ${Math.round(delay.max / 1e6)} ms at most`,
    );
    assert.ok(delay.max / 1e6 < 1000, `${delay.max / 1e6} ms`);
    assert.equal((await decoder.folder([text('b.yaml', manifest('b'))])).objects.length, 1, 'a new worker answers');
  });

  test('a text that takes all memory takes only its own reader', async () => {
    const decoder = await open({ maxHeapBytes: 48 * 1024 * 1024 });
    const others = Promise.all([1, 2, 3].map((n) => decoder.document(text(`${n}`, `v: ${n}`))));
    await fails(decoder.folder([text('f/huge.yaml', endless())]), 'render/too-costly', 'f/huge.yaml', 'memory');
    assert.deepEqual(await others, [{ v: 1 }, { v: 2 }, { v: 3 }]);
    assert.deepEqual(await decoder.document(text('d', 'd: 4')), { d: 4 });
  });

  test('a worker that somebody else ends is replaced, and the question asked again', async () => {
    const before = workers();
    const decoder = await open();
    await decoder.document(text('a', 'a: 1'));
    const mine = workers().filter((pid) => !before.includes(pid));
    assert.ok(mine.length > 0);
    const asked = decoder.folder([text('s.yaml', manifest('s', `data: {a: [${'k: v,'.repeat(300_000)}]}\n`))]);
    for (const pid of mine) process.kill(Number(pid), 'SIGKILL');
    assert.equal((await asked).objects.length, 1);
  });

  test(
    'it sees no environment and no hidden folder, and has no network',
    { skip: sandbox.isolation === 'none' || sandbox.isolation === 'uid' },
    async () => {
      const before = workers();
      const decoder = await open();
      await decoder.document(text('a', 'a: 1'));
      const mine = workers().filter((pid) => !before.includes(pid));
      assert.ok(mine.length > 0);
      for (const pid of mine) {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        assert.ok(!environment.includes(canary) && !/KUBE|TOKEN|SECRET/i.test(environment), environment);
      }
      const inner = mine.at(-1) ?? '';
      const interfaces = readFileSync(`/proc/${inner}/net/dev`, 'utf8').split('\n').slice(2);
      assert.ok(!interfaces.some((line) => /eth|ens|enp/.test(line)), interfaces.join());
      await decoder.close();
      await wait(50);
      assert.deepEqual(
        mine.filter((pid) => workers().includes(pid)),
        [],
        'nothing is left of it',
      );
    },
  );

  test('nobody asks: it ends, and comes back when it is needed', async () => {
    const before = workers();
    const decoder = await open({ idleMs: 200 });
    await decoder.document(text('a', 'a: 1'));
    for (let round = 0; round < 50 && workers().some((pid) => !before.includes(pid)); round += 1) await wait(100);
    assert.deepEqual(
      workers().filter((pid) => !before.includes(pid)),
      [],
    );
    assert.deepEqual(await decoder.document(text('b', 'b: 2')), { b: 2 });
  });

  test('a program that cannot be started is said so', async () => {
    const broken = {
      isolation: 'none' as const,
      wrap: () => Promise.resolve({ command: '/bin/sh', args: ['-c', 'echo no such thing >&2; exit 3'] }),
    };
    await fails(
      (await open({}, broken)).document(text('a', 'a: 1')),
      'render/tool-missing',
      'decode worker',
      'no such thing',
    );
  });
});
