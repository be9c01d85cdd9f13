/**
 * What 10,000 Applications of 30 KB each cost as list rows: openCache with a projection, from a server that keeps them.
 * The yardstick of the same run: the same list read whole, in one page, and kept as objects. Each in a process of its own.
 *
 * Objects: `--objects=10000`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { silentLogger, stringAt, systemClock, type KubeObject } from '@tiphys/api';
import { connect, openCache, type ApiResource } from '@tiphys/kube';
import { numberFlag } from './flags.ts';
import { print } from './measure.ts';

const limitMb = 60;
const objectBytes = 30_000;

const applications: ApiResource = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  singular: 'application',
  namespaced: true,
  verbs: ['list', 'watch'],
  shortNames: ['app'],
  categories: [],
  subresources: [],
  preferred: true,
};

const certificate = (file: string): string =>
  readFileSync(new URL(`../packages/kube/src/testing/testdata/loopback.${file}`, import.meta.url), 'utf8');

/** An Application as a controller leaves it: a spec, and a status with a row for each of some hundred resources. */
function makeApplication(index: number): Buffer {
  const resources: unknown[] = [];
  const object = {
    metadata: {
      name: `app-${index}`,
      namespace: 'argocd',
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      resourceVersion: String(1000 + index),
      labels: { team: `team-${index % 40}`, env: index % 2 === 0 ? 'production' : 'staging' },
      annotations: { 'argocd.argoproj.io/refresh': 'normal' },
    },
    spec: {
      project: `project-${index % 25}`,
      source: { repoURL: 'https://git.example/platform/apps.git', path: `apps/app-${index}`, targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace: `ns-${index % 300}` },
    },
    status: {
      sync: { status: index % 7 === 0 ? 'OutOfSync' : 'Synced', revision: String(index).padStart(40, 'a') },
      health: { status: 'Healthy' },
      resources,
    },
  };
  for (let size = JSON.stringify(object).length; size < objectBytes;) {
    const row = {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespace: `ns-${index % 300}`,
      name: `component-${index}-${resources.length}`,
      status: 'Synced',
      health: { status: 'Healthy', message: `Deployment "component-${resources.length}" has minimum availability` },
    };
    resources.push(row);
    size += JSON.stringify(row).length + 1;
  }
  return Buffer.from(JSON.stringify(object));
}

function serve(count: number): void {
  const server = createSecureServer({ cert: certificate('crt'), key: certificate('key') }, (request, response) => {
    const { searchParams } = new URL(request.url, 'https://bench');
    response.setHeader('content-type', 'application/json');
    if (searchParams.get('watch') === 'true') {
      response.writeHead(200);
      return;
    }
    const from = Number(searchParams.get('continue') ?? '0');
    const to = Math.min(count, from + Number(searchParams.get('limit') ?? count));
    const next = to < count ? `,"continue":"${to}"` : '';
    const head = `{"apiVersion":"argoproj.io/v1alpha1","kind":"ApplicationList","metadata":{"resourceVersion":"9"${next}},"items":[`;
    void (async () => {
      response.write(head);
      for (let i = from; i < to; i += 1) {
        if (i > from) response.write(',');
        if (!response.write(makeApplication(i))) await once(response, 'drain');
      }
      response.end(']}');
    })();
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}\n`);
  });
}

/** The columns of `app list`. */
const toRow = (object: KubeObject) => ({
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  project: stringAt(object, 'spec', 'project'),
  sync: stringAt(object, 'status', 'sync', 'status'),
  health: stringAt(object, 'status', 'health', 'status'),
  revision: stringAt(object, 'status', 'sync', 'revision'),
  labels: object.metadata.labels,
});

const megabytes = (bytes: number): number => Math.round((bytes / 1024 / 1024) * 10) / 10;

/** Memory that stays: after garbage collection, heap and buffers. */
function kept(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measure(how: 'rows' | 'objects', server: string): Promise<void> {
  const ports = { log: silentLogger, clock: systemClock };
  const cluster = { name: 'bench', server, ca: certificate('crt'), credentials: { kind: 'none' } } as const;
  const client = connect(cluster, { maxResponseBytes: 1e10, timeoutMs: 300_000 }, ports);
  await client.request({ method: 'GET', path: '/?limit=1' });
  const before = kept();
  const rssBefore = process.memoryUsage.rss();
  let longestBlockMs = 0;
  let last = performance.now();
  const ticker = setInterval(() => {
    longestBlockMs = Math.max(longestBlockMs, performance.now() - last - 5);
    last = performance.now();
  }, 5);
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  let held: { size: number; stop: () => Promise<void> };
  if (how === 'rows') {
    const cache = openCache(client, { resource: applications, project: toRow }, ports);
    await cache.synced;
    held = cache;
  } else {
    const { body } = await client.request({ method: 'GET', path: '/apis/argoproj.io/v1alpha1/applications' });
    const list = JSON.parse(body.toString('latin1')) as { items: unknown[] };
    held = { size: list.items.length, stop: () => Promise.resolve(list.items.splice(0)).then(() => undefined) };
  }
  const tookMs = performance.now() - startedMs;
  const cpu = process.cpuUsage(startedCpu);
  clearInterval(ticker);
  const peakMb = megabytes(process.resourceUsage().maxRSS * 1024 - rssBefore);
  const keptMb = megabytes(kept() - before);
  const cpuMs = Math.round((cpu.user + cpu.system) / 1000);
  const result = {
    how,
    size: held.size,
    keptMb,
    peakMb,
    tookMs: Math.round(tookMs),
    cpuMs,
    longestBlockMs: Math.round(longestBlockMs),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  await held.stop();
  await client.close();
  process.exit(0);
}

const self = new URL(import.meta.url).pathname;

function start(args: readonly string[]): { firstLine: Promise<string>; stop: () => void } {
  const nodeArgs = ['--expose-gc', '--max-old-space-size=6000', self, ...args];
  const child = spawn(process.execPath, nodeArgs, { stdio: ['ignore', 'pipe', 'inherit'] });
  const firstLine = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text.trim());
    });
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code ?? 'a signal'}`)));
  });
  return { firstLine, stop: () => child.kill() };
}

type Result = Readonly<{
  size: number;
  keptMb: number;
  peakMb: number;
  tookMs: number;
  cpuMs: number;
  longestBlockMs: number;
}>;

async function measured(how: 'rows' | 'objects', url: string): Promise<Result> {
  const result = JSON.parse(await start([how, url]).firstLine) as Result;
  console.log(
    `${how}: ${result.size} objects, kept ${result.keptMb} MB, peak ${result.peakMb} MB, ${result.tookMs} ms,` +
      ` CPU ${result.cpuMs} ms, longest block ${result.longestBlockMs} ms`,
  );
  return result;
}

async function main(): Promise<void> {
  const count = numberFlag('objects', 10_000);
  const server = start(['serve', String(count)]);
  try {
    const url = await server.firstLine;
    const rows = await measured('rows', url);
    const objects = await measured('objects', url);
    if (rows.size !== count) throw new Error(`the cache holds ${rows.size} rows`);
    const of = `${count} Applications of 30 KB as rows through a projection`;
    const unit = 'MB';
    const kept = { name: 'as whole objects', value: objects.keptMb, unit };
    print({ claim: `${of}, memory that stays`, value: rows.keptMb, unit, atMost: limitMb, yardstick: kept });
    const peak = { name: 'as whole objects', value: objects.peakMb, unit };
    print({ claim: `${of}, most memory at any time`, value: rows.peakMb, unit, atMost: limitMb, yardstick: peak });
  } finally {
    server.stop();
  }
}

const [mode = '', argument = ''] = process.argv.slice(2);
if (mode === 'serve') serve(Number(argument));
else if (mode === 'rows' || mode === 'objects') await measure(mode, argument);
else await main();
