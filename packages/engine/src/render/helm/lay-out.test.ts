import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type Download, layOut, type Layout } from './lay-out.ts';

/** A chart with so many value files that are named by URL, each twice. */
function layOutUrls(t: TestContext, count: number, download: Download): Promise<Layout> {
  const home = mkdtempSync(join(tmpdir(), 'tiphys-lay-out-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const archive = join(home, 'shop-1.0.0.tgz');
  writeFileSync(archive, '');
  const values = Array.from({ length: count }, (_, index) => ({ kind: 'url', url: urlOf(index) }) as const);
  return layOut(
    {
      chart: {
        kind: 'archive',
        file: () => Promise.resolve(archive),
        scope: '',
        name: 'shop',
        version: '1.0.0',
        maxBytes: 0,
      },
      inputs: { values: [...values, ...values], files: [] },
      helm: {},
      decoder: { archive: () => assert.fail('there is no archive') },
      download,
      trust: () => ({ registered: false }),
    },
    { home, materialise: () => Promise.resolve([]) },
    AbortSignal.timeout(20_000),
  );
}

const urlOf = (index: number): string => `https://values.example.com/${index}.yaml`;

test('REPO-12 value files by URL are fetched once each, a few at a time', async (t) => {
  let underWay = 0;
  let most = 0;
  const asked: string[] = [];
  const { values, place } = await layOutUrls(t, 20, async (url) => {
    asked.push(url);
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise(setImmediate);
    underWay -= 1;
    return Buffer.from(url);
  });
  assert.equal(most, 4);
  assert.deepEqual(asked.toSorted(), Array.from({ length: 20 }, (_, index) => urlOf(index)).toSorted());
  for (const value of values) assert.equal(readFileSync(place(value), 'utf8'), value.kind === 'url' ? value.url : '');
});

test('REPO-12 after a value file that cannot be fetched no other is asked for', async (t) => {
  const asked: string[] = [];
  const fetching = layOutUrls(t, 20, (url, _trust, signal) => {
    asked.push(url);
    if (url === urlOf(0)) return Promise.reject(new Error('it is not there'));
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
    });
  });
  await assert.rejects(fetching, { message: 'it is not there' });
  await new Promise(setImmediate);
  assert.equal(asked.length, 4);
});

test('REPO-12 a source with very many URLs is refused before any is asked for', async (t) => {
  const fetching = layOutUrls(t, 51, () => assert.fail('it was asked for'));
  await assert.rejects(fetching, { code: 'render/too-costly', message: /may name 50 URLs of value files, not 51/ });
});
