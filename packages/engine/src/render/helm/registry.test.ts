import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { at } from '@tiphys/api';
import { type Registry, type RegistryOptions, startRegistry } from '../../../../../test/registry/registry.ts';
import type { RepositoryAccess } from '../../git/read/repository-access.ts';
import type { Renderer } from '../renderer.ts';
import type { RenderSettings } from '../types.ts';
import { fails, helm, withoutTools, Workbench } from '../workbench.suite.ts';
import { chartReference, isRegistry, registryAddress } from './registry.ts';

const run = promisify(execFile);
const bench = new Workbench();
const { signal } = bench;
const login = { username: 'ada', password: 's3cret-word' };
after(() => bench.close());

/** Packs a chart with the real Helm; the archive. */
async function pack(version: string, value = version): Promise<string> {
  const folder = join(bench.root, 'source', 'shop');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'templates'), { recursive: true });
  writeFileSync(join(folder, 'Chart.yaml'), `apiVersion: v2\nname: shop\nversion: ${version}\n`);
  writeFileSync(join(folder, 'values.yaml'), 'size: small\n');
  writeFileSync(
    join(folder, 'templates/cm.yaml'),
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {version: "${value}", size: "{{ .Values.size }}"}\n`,
  );
  await run(helm, ['package', folder, '--destination', bench.root], { env: { HOME: bench.root } });
  return join(bench.root, `shop-${version}.tgz`);
}

/** Puts archives into a registry with the real Helm. */
async function push(registry: Registry, archive: string): Promise<void> {
  const home = join(bench.root, 'pusher');
  mkdirSync(join(home, 'registry'), { recursive: true });
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  writeFileSync(join(home, 'registry/config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  writeFileSync(join(home, 'ca.pem'), registry.caPem);
  const transport = registry.caPem === '' ? '--plain-http' : `--ca-file=${join(home, 'ca.pem')}`;
  await run(helm, ['push', archive, `oci://${registry.host}/charts`, transport], {
    env: { HOME: home, HELM_CONFIG_HOME: home, HELM_CACHE_HOME: join(home, 'cache') },
  });
}

async function filled(options: RegistryOptions, versions: readonly string[]): Promise<Registry> {
  const registry = await startRegistry(options);
  for (const version of versions) await push(registry, await pack(version));
  return registry;
}

/** Puts a version of the chart into an open registry past Helm: with any bytes as its archive, or with none that are there. */
async function announce(
  registry: Registry,
  version: string,
  content: Buffer | Readonly<{ digest: string; size: number }>,
): Promise<void> {
  const chart = `http://${registry.host}/v2/charts/shop`;
  const upload = async (body: Buffer): Promise<{ digest: string; size: number }> => {
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    await fetch(`${chart}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: new Uint8Array(body) });
    return { digest, size: body.length };
  };
  const config = await upload(Buffer.from(JSON.stringify({ apiVersion: 'v2', name: 'shop', version })));
  const layer = Buffer.isBuffer(content) ? await upload(content) : content;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', ...layer }],
  };
  const body = JSON.stringify(manifest);
  await fetch(`${chart}/manifests/${version}`, { method: 'PUT', headers: { 'content-type': mediaType }, body });
}

const accessTo = (registry: Registry, more: Partial<RepositoryAccess> = {}): RepositoryAccess => ({
  url: `${registry.host}/charts`,
  enableOci: true,
  ...(registry.caPem === '' ? { forceHttp: true } : { caPem: registry.caPem }),
  ...more,
});

async function render(
  renderer: Renderer,
  repo: RepositoryAccess,
  ask: Readonly<{ version: string; anew?: boolean; chart?: string; settings?: Partial<RenderSettings> }>,
) {
  const source = { repoURL: repo.url, chart: ask.chart ?? 'shop', targetRevision: ask.version };
  const { anew, settings } = ask;
  const request = await bench.request(source, { anew, ...(settings && { settings }) });
  const rendered = await renderer.render({ ...request, sources: [{ source, repo, commit: ask.version }] }, signal);
  return at(rendered.objects[0], 'data', 'version');
}

describe('charts of OCI registries', { skip: withoutTools }, () => {
  for (const by of ['basic', 'token'] as const)
    test(`REPO-10 a chart of a private registry over TLS, with a password (${by}), is pulled once`, async () => {
      await using registry = await filled({ tls: true, login: { ...login, by } }, ['1.0.0', '1.4.2']);
      const renderer = await bench.renderer();
      const repo = accessTo(registry, { credentials: login });
      assert.equal(await render(renderer, repo, { version: '1.4.2' }), '1.4.2');
      assert.equal(await render(renderer, { ...repo, url: `oci://${repo.url}/` }, { version: '1.0.0' }), '1.0.0');
      const source = { repoURL: repo.url, chart: 'shop', helm: { valuesObject: { size: 'large' } } };
      const request = await bench.request({ ...source, targetRevision: '1.4.2' });
      const sources = request.sources.map((one) => ({ ...one, repo }));
      const other = await renderer.render({ ...request, sources }, signal);
      assert.equal(at(other.objects[0], 'data', 'size'), 'large');
      const pulls = registry.requests.filter((line) => line.startsWith('GET /v2/charts/shop/manifests/1.4.2 +'));
      assert.equal(pulls.length, 1, registry.requests.join('\n'));
    });

  test('REPO-10 a wrong password, none, and no trust: clear errors without the secret, and nothing of it stays', async () => {
    await using registry = await filled({ tls: true, login: { ...login, by: 'token' } }, ['1.0.0']);
    const renderer = await bench.renderer();
    for (const password of [undefined, 'wrong-word']) {
      const repo = accessTo(registry, password === undefined ? {} : { credentials: { ...login, password } });
      for (const ask of [
        () => render(renderer, repo, { version: '1.0.0' }),
        () => renderer.resolveChart(repo, { name: 'shop', revision: '^1' }, signal),
      ]) {
        const { message } = await fails(ask(), 'git/authentication', registry.host, 'shop', '401');
        assert.ok(
          !message.includes('wrong-word') && !message.includes(Buffer.from('ada:wrong-word').toString('base64')),
        );
      }
    }
    const untrusted = { url: `${registry.host}/charts`, credentials: login };
    await fails(render(renderer, untrusted, { version: '1.0.0' }), 'git/unreachable', 'certificate');
    assert.equal(await render(renderer, { ...untrusted, insecure: true }, { version: '1.0.0' }), '1.0.0');
    await fails(
      render(renderer, accessTo(registry, { forceHttp: true, credentials: login }), { version: '1.0.0' }),
      'git/unreachable',
    );
    const files = readdirSync(bench.root, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.parentPath.includes('work-'),
    );
    const secrets = ['s3cret-word', Buffer.from('ada:s3cret-word').toString('base64')];
    for (const { parentPath, name } of files)
      for (const secret of secrets) assert.ok(!readFileSync(join(parentPath, name)).includes(secret), name);
  });

  test('REPO-02 ranges are looked up among all tags; what is found is not pulled twice', async () => {
    const versions = ['1.0.0', '1.4.2', '1.5.0+build.7', '2.0.0', '2.1.0-rc.1'];
    await using registry = await filled({ pageSize: 2 }, versions);
    const renderer = await bench.renderer();
    const repo = accessTo(registry);
    const resolve = (revision: string, name = 'shop') => renderer.resolveChart(repo, { name, revision }, signal);
    const table = [
      ['1.0.0', '1.0.0'],
      ['', '2.0.0'],
      ['*', '2.0.0'],
      ['~1.4', '1.4.2'],
      ['1.x', '1.5.0+build.7'],
      ['>=2.1.0-0', '2.1.0-rc.1'],
    ] as const;
    for (const [revision, version] of table) assert.equal(await resolve(revision), version, revision);
    const asked = registry.requests.length;
    assert.deepEqual(await Promise.all([resolve('1.x'), resolve('*')]), ['1.5.0+build.7', '2.0.0'], 'remembered');
    assert.equal(await render(renderer, repo, { version: '1.5.0+build.7' }), '1.5.0+build.7');
    assert.equal(registry.requests.length, asked, 'the registry is not asked again');
    await push(registry, await pack('2.5.0'));
    assert.equal(await resolve('*'), '2.0.0');
    assert.equal(await renderer.resolveChart(repo, { name: 'shop', revision: '*', anew: true }, signal), '2.5.0');
    await fails(resolve('^7'), 'git/revision-not-found', 'shop', '^7');
    await fails(resolve('*', 'nothing'), 'git/revision-not-found', 'nothing');
    await fails(resolve('latest'), 'language/invalid', 'latest');
    await fails(render(renderer, repo, { version: '9.9.9' }), 'git/revision-not-found', '9.9.9');
  });

  test('REC-13 a version that was replaced is pulled again by a hard refresh, and only then', async () => {
    await using registry = await filled({}, ['1.0.0']);
    const renderer = await bench.renderer();
    const repo = accessTo(registry);
    assert.equal(await render(renderer, repo, { version: '1.0.0' }), '1.0.0');
    await push(registry, await pack('1.0.0', 'replaced'));
    assert.equal(await render(renderer, repo, { version: '1.0.0' }), '1.0.0');
    assert.equal(await render(renderer, repo, { version: '1.0.0', anew: true }), 'replaced');
  });

  test('REPO-09 a chart in Git depends on charts of registries, with what is registered for them', async () => {
    await using open = await filled({}, ['1.0.0']);
    await using closed = await filled({ tls: true, login: { ...login, by: 'token' } }, ['1.4.2']);
    const main = (entry: string): string => `apiVersion: v2\nname: main\nversion: 0.1.0\ndependencies:\n- ${entry}\n`;
    const charts = bench.origin({
      'closed/Chart.yaml': main(`{name: shop, version: ^1, repository: "oci://${closed.host}/charts"}`),
      'both/Chart.yaml': `${main(`{name: shop, version: 1.4.2, repository: "oci://${closed.host}/charts"}`)}- {name: shop, alias: other, version: 1.0.0, repository: "oci://${open.host}/charts"}\n`,
    });
    const renderer = await bench.renderer();
    const ask = async (path: string, password?: string) => {
      const access = (url: string): RepositoryAccess =>
        url.includes(open.host)
          ? { url, forceHttp: true }
          : { url, caPem: closed.caPem, ...(password !== undefined && { credentials: { ...login, password } }) };
      return renderer.render(await bench.request({ repoURL: charts.url, path }, { access }), signal);
    };
    await fails(ask('closed'), 'git/authentication', closed.host, '401');
    assert.equal(at((await ask('closed', login.password)).objects[0], 'data', 'version'), '1.4.2');
    await fails(ask('closed'), 'git/authentication', closed.host);
    const { message } = await fails(ask('closed', 'wrong-word'), 'git/authentication', closed.host);
    assert.ok(!message.includes('wrong-word'), message);
    await fails(ask('both', login.password), 'render/unsupported', open.host, closed.host);
  });

  test('what is away, slow, false or too large is an error by name, and others go on', async () => {
    await using registry = await filled({}, ['1.0.0']);
    const renderer = await bench.renderer({ timeoutMs: 3000 });
    const repo = accessTo(registry);
    await fails(
      render(renderer, { url: '127.0.0.1:9/charts' }, { version: '1.0.0' }),
      'git/unreachable',
      '127.0.0.1:9',
    );
    await fails(
      render(renderer, repo, { version: '1.0.0', settings: { maxUnpackedChartBytes: 100 } }),
      'git/too-large',
      'shop',
      '100 bytes',
    );
    await fails(
      render(await bench.renderer({ maxChartBytes: 10 }), repo, { version: '1.0.0' }),
      'git/too-large',
      'shop',
    );
    await announce(registry, '3.0.0', gzipSync(Buffer.alloc(200 * 1024 * 1024)));
    await fails(render(renderer, repo, { version: '3.0.0' }), 'render/failed', 'shop 3.0.0');
    const settings = { maxUnpackedChartBytes: 150 * 1024 * 1024 };
    await fails(render(renderer, repo, { version: '3.0.0', settings }), 'git/too-large', 'unpacks to more');
    registry.slowDown(5000);
    await fails(render(renderer, repo, { version: '1.0.1' }), 'render/timeout', 'helm');
    registry.slowDown(0);
    registry.corrupt();
    await fails(render(renderer, repo, { version: '1.0.0', anew: true }), 'render/failed', registry.host);
  });

  test('REPO-20 a registry that sends without end, or lies about the size, costs neither memory nor disk nor others their renders', async () => {
    await using registry = await filled({}, ['1.0.0']);
    const renderer = await bench.renderer({ timeoutMs: 3000 });
    const repo = accessTo(registry);
    for (const [version, size] of Object.entries({ '6.0.0': 3_000_000_000, '7.0.0': 50_000_000 })) {
      const digest = `sha256:${version.slice(0, 1).repeat(64)}`;
      registry.floodWith(digest);
      await announce(registry, version, { digest, size });
      const attack = render(renderer, repo, { version }).then(
        () => 'rendered',
        (error: unknown) => String(at(error, 'code')),
      );
      assert.equal(await render(await bench.renderer(), repo, { version: '1.0.0' }), '1.0.0');
      assert.equal(await attack, size > 1e9 ? 'render/too-costly' : 'render/failed');
    }
    const left = readdirSync(bench.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath.includes('work-'))
      .map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
    assert.ok(Math.max(0, ...left) < 1_000_000, String(left));
  });
});

test('REPO-20 the name of a chart or registry can be no option, other tag or other place', () => {
  const repo = { url: 'registry.example.com:5000/team/charts' };
  assert.equal(chartReference(repo, 'shop'), 'oci://registry.example.com:5000/team/charts/shop');
  assert.equal(chartReference({ url: 'oci://registry.example.com' }, 'a/b'), 'oci://registry.example.com/a/b');
  for (const name of ['../shop', 'shop:1.0.0', 'shop@sha256:0', '-x', 'Shop', 'a//b', 'a b', 'x/', ''])
    assert.throws(() => chartReference(repo, name), { code: 'git/url-invalid' }, name);
  for (const url of [
    'https://example.com/charts',
    '/srv/charts',
    'git@example.com:x',
    'file:///x',
    '-x/y',
    'a b/c',
    'ssh://x/y',
  ])
    assert.equal(registryAddress(url), undefined, url);
  assert.throws(() => isRegistry({ url: 'https://example.com/x', enableOci: true }), /without a scheme/);
  assert.throws(
    () => isRegistry({ url: 'oci://ada:secret@example.com/x' }),
    (error: Error) => !error.message.includes('secret'),
  );
  assert.equal(isRegistry({ url: 'https://example.com/charts' }), false);
});
