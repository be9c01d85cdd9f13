import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '@tiphys/api';
import { fails, helm, names, withoutTools, Workbench } from '../workbench.suite.ts';

const bench = new Workbench();
const { signal } = bench;
const served = join(bench.root, 'charts');
const requests: string[] = [];
let server: Server | undefined;
let url = '';

function packageChart(version: string): void {
  const source = join(bench.root, 'source', 'monitor');
  rmSync(source, { recursive: true, force: true });
  mkdirSync(join(source, 'templates'), { recursive: true });
  writeFileSync(join(source, 'Chart.yaml'), `apiVersion: v2\nname: monitor\nversion: ${version}\n`);
  writeFileSync(join(source, 'values.yaml'), 'retention: 1d\nnested: {size: 1Gi}\n');
  writeFileSync(join(source, 'values-big.yaml'), 'nested: {size: 99Gi}\n');
  writeFileSync(
    join(source, 'templates/cm.yaml'),
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\ndata: {version: "${version}", retention: "{{ .Values.retention }}", size: "{{ .Values.nested.size }}"}\n`,
  );
  execFileSync(helm, ['package', source, '--destination', served], { env: { HOME: bench.root }, stdio: 'ignore' });
}

describe('chart repositories', { skip: withoutTools }, () => {
  before(async () => {
    mkdirSync(served);
    for (const version of ['1.0.0', '1.4.2', '2.0.0', '2.1.0-rc.1']) packageChart(version);
    const started = createServer((request, response) => {
      requests.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`);
      const isPrivate = request.url?.startsWith('/private/') === true;
      const allowed = request.headers.authorization === `Basic ${Buffer.from('ada:s3cret-word').toString('base64')}`;
      const file = join(served, (request.url ?? '').replace(/^\/(?:private|open)\//, ''));
      if (isPrivate && !allowed) response.writeHead(401).end();
      else if (!existsSync(file)) response.writeHead(404).end();
      else createReadStream(file).pipe(response);
    });
    await new Promise<void>((listening) => started.listen(0, '127.0.0.1', listening));
    server = started;
    url = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
    execFileSync(helm, ['repo', 'index', served], { env: { HOME: bench.root }, stdio: 'ignore' });
  });
  after(async () => {
    await bench.close();
    server?.close();
  });

  test('REPO-10 a chart renders without a checkout, with inline values', async () => {
    const renderer = await bench.renderer();
    const source = {
      repoURL: `${url}/open`,
      chart: 'monitor',
      targetRevision: '1.4.2',
      helm: { values: 'retention: 30d\nnested: {size: 50Gi}\n' },
    };
    const rendered = await renderer.render(await bench.request(source), signal);
    assert.deepEqual(names(rendered), ['ConfigMap shop']);
    assert.deepEqual(at(rendered.objects[0], 'data'), { version: '1.4.2', retention: '30d', size: '50Gi' });
    assert.deepEqual(rendered.sourceTypes, ['Helm']);
    const named = { ...source, helm: { releaseName: 'prom', valueFiles: ['values-big.yaml'] } };
    const other = await renderer.render(await bench.request(named), signal);
    assert.deepEqual(names(other), ['ConfigMap prom']);
    assert.equal(at(other.objects[0], 'data', 'size'), '99Gi');
    const pulls = requests.filter((request) => request.includes('monitor-1.4.2.tgz'));
    assert.equal(pulls.length, 1, 'an archive is pulled once');
    assert.equal((await renderer.render(await bench.request(source), signal)).cached, true);
  });

  test('REPO-10 a chart with value files of another source', async () => {
    const renderer = await bench.renderer();
    const values = bench.origin({ 'env/prod.yaml': 'retention: 7d\n' });
    const request = await bench.request([
      {
        repoURL: `${url}/open`,
        chart: 'monitor',
        targetRevision: '1.0.0',
        helm: { valueFiles: ['$env/env/prod.yaml'] },
      },
      { repoURL: values.url, ref: 'env' },
    ]);
    assert.equal(at((await renderer.render(request, signal)).objects[0], 'data', 'retention'), '7d');
  });

  test('REPO-13 value files within a chart: globs, those that may be missing, and no way out by a link', async () => {
    const renderer = await bench.renderer();
    const render = async (valueFiles: string[], more: object = {}) => {
      const helmSource = { valueFiles, ...more };
      const source = { repoURL: `${url}/open`, chart: 'monitor', targetRevision: '1.0.0', helm: helmSource };
      const rendered = await renderer.render(await bench.request(source), signal);
      return at(rendered.objects[0], 'data', 'size');
    };
    assert.equal(await render(['values-*.yaml']), '99Gi');
    assert.equal(
      await render(['none.yaml', 'values-big.yaml', 'no-*.yaml'], { ignoreMissingValueFiles: true }),
      '99Gi',
    );
    await fails(render(['none.yaml']), 'render/value-file-missing', 'valueFiles[0]', 'none.yaml');
    await fails(render(['no-*.yaml']), 'render/value-file-missing', 'no-*.yaml', 'matches no file');
    const files = { fileParameters: [{ name: 'nested.size', path: 'none.txt' }] };
    await fails(render([], files), 'render/value-file-missing', 'fileParameters[0]', 'none.txt');
    const canary = join(bench.root, 'canary.yaml');
    writeFileSync(canary, 'nested: {size: CANARY}\n');
    const evil = join(bench.root, 'evil', 'evil');
    mkdirSync(join(evil, 'templates'), { recursive: true });
    writeFileSync(join(evil, 'Chart.yaml'), 'apiVersion: v2\nname: evil\nversion: 1.0.0\n');
    writeFileSync(join(evil, 'templates/x.yaml'), 'kind: {{ .Values | toJson }}\n');
    symlinkSync(canary, join(evil, 'link.yaml'));
    execFileSync('tar', ['-czf', join(served, 'evil-1.0.0.tgz'), '-C', join(bench.root, 'evil'), 'evil']);
    const index = readFileSync(join(served, 'index.yaml'), 'utf8');
    const entry = '  evil:\n  - {apiVersion: v2, name: evil, version: 1.0.0, urls: [evil-1.0.0.tgz]}\n';
    writeFileSync(join(served, 'index.yaml'), index.replace('entries:\n', `entries:\n${entry}`));
    const source = {
      repoURL: `${url}/open`,
      chart: 'evil',
      targetRevision: '1.0.0',
      helm: { valueFiles: ['link.yaml'] },
    };
    const { message } = await fails(renderer.render(await bench.request(source), signal), 'render/value-file-missing');
    assert.ok(!message.includes('CANARY'), message);
  });

  test('REPO-02 the revision of a chart: exact, any, and ranges; an unknown one is named', async () => {
    const renderer = await bench.renderer();
    const resolve = (revision: string, name = 'monitor') =>
      renderer.resolveChart({ url: `${url}/open` }, { name, revision }, signal);
    const table = [
      ['1.0.0', '1.0.0'],
      ['v9.9.9', 'v9.9.9'],
      ['', '2.0.0'],
      ['*', '2.0.0'],
      ['1.*', '1.4.2'],
      ['>=2.1.0-0', '2.1.0-rc.1'],
    ] as const;
    for (const [revision, version] of table) assert.equal(await resolve(revision), version, revision);
    await fails(resolve('^7'), 'git/revision-not-found', '^7', 'monitor', `${url}/open`);
    await fails(resolve('*', 'nothing'), 'git/revision-not-found', 'nothing');
    const source = { repoURL: `${url}/open`, chart: 'monitor', targetRevision: '9.9.9' };
    await fails(renderer.render(await bench.request(source), signal), 'git/revision-not-found', 'monitor', '9.9.9');
  });

  test('REPO-02 a version that is published after it was asked for is found soon, not when a failure is forgotten', async () => {
    const renderer = await bench.renderer({ remoteFreshMs: 300 });
    const source = { repoURL: `${url}/open`, chart: 'monitor', targetRevision: '3.0.0' };
    await fails(renderer.render(await bench.request(source), signal), 'git/revision-not-found', '3.0.0');
    packageChart('3.0.0');
    execFileSync(helm, ['repo', 'index', served], { env: { HOME: bench.root }, stdio: 'ignore' });
    await sleep(400);
    assert.equal((await renderer.render(await bench.request(source), signal)).objects.length, 1);
    rmSync(join(served, 'monitor-3.0.0.tgz'));
    execFileSync(helm, ['repo', 'index', served], { env: { HOME: bench.root }, stdio: 'ignore' });
  });

  test('credentials reach the repository and nothing else', async () => {
    const renderer = await bench.renderer();
    const request = await bench.request({ repoURL: `${url}/private`, chart: 'monitor', targetRevision: '1.0.0' });
    await fails(renderer.render(request, signal), 'git/authentication', `${url}/private`);
    const withPassword = (password: string) => ({
      ...request,
      sources: request.sources.map((source) => ({
        ...source,
        repo: { url: `${url}/private`, credentials: { username: 'ada', password } },
      })),
    });
    const { message } = await fails(renderer.render(withPassword('wrong-word'), signal), 'git/authentication');
    assert.ok(!message.includes('wrong-word'), message);
    const rendered = await renderer.render(withPassword('s3cret-word'), signal);
    assert.equal(rendered.objects.length, 1);
    const left = readdirSync(bench.root, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.parentPath.includes('work-'),
    );
    for (const entry of left)
      assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes('s3cret-word'), entry.name);
  });

  test('credentials go to another host only when the source says so', async () => {
    const renderer = await bench.renderer();
    const index = readFileSync(join(served, 'index.yaml'), 'utf8');
    // The same server under another name.
    const elsewhere = url.replace('127.0.0.1', 'localhost');
    mkdirSync(join(served, 'moved'), { recursive: true });
    writeFileSync(join(served, 'moved/index.yaml'), index.replace(/- monitor-/g, `- ${elsewhere}/private/monitor-`));
    const render = async (passCredentials: boolean) => {
      const source = {
        repoURL: `${url}/private/moved`,
        chart: 'monitor',
        targetRevision: '1.0.0',
        helm: { passCredentials },
      };
      const request = await bench.request(source);
      const credentials = { username: 'ada', password: 's3cret-word' };
      const sources = request.sources.map((one) => ({ ...one, repo: { ...one.repo, credentials } }));
      return renderer.render({ ...request, sources }, signal);
    };
    await fails(render(false), 'git/authentication', '401');
    assert.equal((await render(true)).objects.length, 1);
  });

  test('a proxy of the installation is used, and that of a repository before it', async () => {
    const asked: string[] = [];
    const proxies = ['installation', 'repository'].map((name) =>
      createServer((request, response) => {
        asked.push(`${name} ${request.url ?? ''}`);
        response.writeHead(404).end();
      }),
    );
    const urls = await Promise.all(
      proxies.map(async (proxy) => {
        await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
        return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      }),
    );
    const [http_proxy = '', own = ''] = urls;
    const renderer = await bench.renderer({ networkEnvironment: { http_proxy } });
    const ask = (proxy?: string) =>
      renderer.resolveChart(
        { url: 'http://charts.invalid/x', ...(proxy !== undefined && { proxy }) },
        { name: 'monitor', revision: '*', anew: true },
        signal,
      );
    await fails(ask(), 'git/unreachable');
    await fails(ask(own), 'git/unreachable');
    assert.deepEqual(asked, [
      'installation http://charts.invalid/x/index.yaml',
      'repository http://charts.invalid/x/index.yaml',
    ]);
    for (const proxy of proxies) proxy.close();
  });

  test('what cannot be reached, or is too large, or is no chart repository, is named', async () => {
    const renderer = await bench.renderer({ maxIndexBytes: 10 });
    const render = async (repoURL: string, targetRevision: string) =>
      renderer.render(await bench.request({ repoURL, chart: 'monitor', targetRevision }), signal);
    await fails(render('http://127.0.0.1:9/charts', '1.0.0'), 'git/unreachable', 'http://127.0.0.1:9/charts');
    await fails(render('ftp://example.com/charts', '1.0.0'), 'git/url-invalid', 'ftp://example.com/charts');
    await fails(
      renderer.resolveChart({ url: `${url}/open` }, { name: 'monitor', revision: '*' }, signal),
      'git/too-large',
      'index',
    );
  });

  test('REPO-09 a dependency from a chart repository is fetched, with its credentials', async () => {
    const charts = bench.origin({
      'main/Chart.yaml': `apiVersion: v2\nname: main\nversion: 0.1.0\ndependencies:\n- {name: monitor, version: 1.4.2, repository: "${url}/open"}\n`,
    });
    const renderer = await bench.renderer();
    const rendered = await renderer.render(await bench.request({ repoURL: charts.url, path: 'main' }), signal);
    assert.equal(at(rendered.objects[0], 'data', 'version'), '1.4.2');
  });

  test('REPO-09 a dependency from a private chart repository is fetched with what is registered for it', async () => {
    const charts = bench.origin({
      'main/Chart.yaml': `apiVersion: v2\nname: main\nversion: 0.1.0\ndependencies:\n- {name: monitor, version: 1.4.2, repository: "${url}/private"}\n`,
    });
    const renderer = await bench.renderer();
    const source = { repoURL: charts.url, path: 'main' };
    const ask = async (credentials?: { username: string; password: string }) =>
      renderer.render(
        await bench.request(source, {
          access: (asked) => ({ url: asked, ...(asked === `${url}/private` && credentials && { credentials }) }),
        }),
        signal,
      );
    await fails(ask(), 'git/authentication', `${url}/private`, '401');
    const rendered = await ask({ username: 'ada', password: 's3cret-word' });
    assert.equal(at(rendered.objects[0], 'data', 'version'), '1.4.2');
    // What somebody's credentials brought is not given to who has none, or others.
    await fails(ask(), 'git/authentication', `${url}/private`);
    const { message } = await fails(ask({ username: 'ada', password: 'wrong-word' }), 'git/authentication', '401');
    assert.ok(!message.includes('wrong-word'), message);
    assert.equal((await ask({ username: 'ada', password: 's3cret-word' })).cached, true);
  });

  test('REPO-09 a dependency may name a repository as it is registered; a name that nobody registered is told', async () => {
    const charts = bench.origin(
      Object.fromEntries(
        ['@corp', 'alias:corp', '@nobody'].map((repository) => [
          `${repository.replace(/\W/g, '-')}/Chart.yaml`,
          `apiVersion: v2\nname: main\nversion: 0.1.0\ndependencies:\n- {name: monitor, version: 1.x, repository: "${repository}"}\n`,
        ]),
      ),
    );
    const renderer = await bench.renderer();
    const access = (asked: string) =>
      /^(?:@|alias:)corp$/.test(asked)
        ? { url: `${url}/private`, name: 'corp', credentials: { username: 'ada', password: 's3cret-word' } }
        : { url: asked };
    for (const path of ['-corp', 'alias-corp']) {
      const rendered = await renderer.render(await bench.request({ repoURL: charts.url, path }, { access }), signal);
      assert.equal(at(rendered.objects[0], 'data', 'version'), '1.4.2');
    }
    const nobody = renderer.render(await bench.request({ repoURL: charts.url, path: '-nobody' }, { access }), signal);
    await fails(nobody, 'render/failed', '"@nobody"', 'registered');
  });

  test('REPO-12 a value file from a URL of an allowed scheme, where its host is public or registered', async () => {
    writeFileSync(join(served, 'remote.yaml'), 'retention: 99d\n');
    const renderer = await bench.renderer();
    const source = {
      repoURL: `${url}/open`,
      chart: 'monitor',
      targetRevision: '1.0.0',
      helm: { valueFiles: [`${url}/open/remote.yaml`] },
    };
    const forbidden = await bench.request(source);
    await fails(renderer.render(forbidden, signal), 'remote/address-forbidden', '127.0.0.1', 'registered');
    const access = (asked: string) => ({ url: asked, registeredHost: asked.startsWith(`${url}/`) });
    const rendered = await renderer.render({ ...forbidden, access }, signal);
    assert.equal(at(rendered.objects[0], 'data', 'retention'), '99d');
    assert.equal(rendered.lasting, false);
    const gone = { ...source, helm: { valueFiles: [`${url}/open/none.yaml`] } };
    const missing = renderer.render(await bench.request(gone, { access }), signal);
    await fails(missing, 'remote/not-found', `${url}/open/none.yaml`);
    const refused = await bench.request(source, { settings: { helmValuesFileSchemes: ['https'] } });
    await fails(renderer.render(refused, signal), 'render/unsupported', 'http', 'valuesFileSchemes');
  });
});
