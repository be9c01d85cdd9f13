/** `tiphys app list` of a thousand applications: a cold process, over TLS, straight from the API server. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '@tiphys/api';
import { applicationResource } from '@tiphys/operations';
import { createAll, namespaceObject, startCluster } from './cluster.ts';
import { controlNamespace } from './controller.ts';
import { numberFlag } from './flags.ts';
import { applicationObject, benchApplications, type BenchApplication } from './input/monorepo.ts';
import { cpuMsOf, median, nodeStart, nodeStartCpu, print, timed } from './measure.ts';

const count = numberFlag('applications', 1000);
const runs = numberFlag('runs', 15);
const program = join(import.meta.dirname, '..', 'packages', 'tiphys', 'bin', 'tiphys.mjs');
const home = await mkdtemp(join(tmpdir(), 'tiphys-bench-home-'));
try {
  await using cluster = await startCluster();
  await createAll(cluster.client, [namespaceObject(controlNamespace)]);
  await createAll(cluster.client, benchApplications(count, 'mixed').map(syncedApplication));

  const args = [program, 'app', 'list', '--kubeconfig', cluster.kubeconfigPath, '--namespace', controlNamespace];
  const env = { PATH: process.env['PATH'], HOME: home };
  const list = (): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout: 60_000 });
    if (status !== 0) throw new Error(`app list ended with ${String(status)}: ${stderr}`);
    return stdout;
  };
  // The first run fills the cache of compiled code, as anybody's first command does.
  const rows = list().trim().split('\n').length - 1;
  if (rows !== count) throw new Error(`app list printed ${rows} rows for ${count} applications`);

  // In pairs: what the machine does besides changes from second to second.
  const starts: number[] = [];
  const totals: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    starts.push((await nodeStart(1)).value);
    totals.push(await timed(list, 1));
  }
  const yardstick = { name: 'bare start of node', value: median(starts), unit: 'ms' };
  const total = median(totals);
  print({ claim: `app list of ${count}, whole command`, value: total, unit: 'ms', yardstick });
  const beyond = median(totals.map((ms, run) => ms - (starts[run] ?? NaN)));
  print({ claim: `app list of ${count}, beyond the bare start`, value: beyond, unit: 'ms', yardstick, atMost: 150 });
  const scope = { namespace: controlNamespace };
  const bare = await timed(() => cluster.client.listEach(applicationResource, scope, () => undefined), runs);
  const server = { name: 'the same list on an open connection', value: bare, unit: 'ms' };
  print({
    claim: `app list of ${count}, against the server's answer alone`,
    value: total,
    unit: 'ms',
    yardstick: server,
  });
  const cpu = median(Array.from({ length: runs }, () => cpuMsOf(process.execPath, args, env)));
  print({ claim: `app list of ${count}, CPU of the whole command`, value: cpu, unit: 'ms', yardstick: nodeStartCpu() });
} finally {
  await rm(home, { recursive: true, force: true });
}

/** As the controller leaves it after a sync. */
function syncedApplication(application: BenchApplication): KubeObject {
  const repoURL = 'https://git.example.com/platform/monorepo.git';
  const object = applicationObject(application, { repoURL, controlNamespace });
  const { name, namespace } = application;
  const revision = '0123456789abcdef0123456789abcdef01234567';
  const resources = ['ConfigMap', 'Service', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim'].map((kind) => ({
    kind,
    version: 'v1',
    namespace,
    name,
    status: 'Synced',
  }));
  const spec = object['spec'] as Readonly<Record<string, unknown>>;
  const comparedTo = { source: spec['source'], sources: spec['sources'], destination: spec['destination'] };
  return {
    ...object,
    status: {
      sync: { status: 'Synced', revision, comparedTo },
      health: { status: 'Healthy' },
      reconciledAt: '2026-01-01T00:00:00Z',
      sourceType: 'Helm',
      resources,
      summary: { images: [`registry.example.com/${name}:1.2.3`] },
    },
  };
}
