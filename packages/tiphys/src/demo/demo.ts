import { join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { type Clock, CodedError, type KubeObject, listAt, type Logger, stringAt } from '@tiphys/api';
import { applicationResource } from '@tiphys/api';
import { type Composition, startController } from '../compose.ts';
import { sampleApplications, visitorApplication } from './applications.ts';
import { applyAll, type DemoCluster, startDemoCluster } from './cluster.ts';
import { ensureSampleRepository, sampleApplicationFiles } from './sample-repository.ts';
import { openScreen, type Row, type Screen, tableLines } from './screen.ts';

/** What the visitor asked for. */
export type DemoRequest = Readonly<{
  /** Ends when all is Synced and Healthy. */
  once: boolean;
  /** The visitor's own repository (URL or folder) instead of the sample. */
  repo: string | undefined;
  path: string;
  revision: string;
  /** Where cluster state and sample repository live. */
  directory: string;
  /** How long `--once` waits. */
  timeoutMs: number;
}>;

export type DemoPorts = Readonly<{
  root: string;
  composition: Omit<Composition, 'client' | 'settings'>;
  out: NodeJS.WritableStream;
  terminal: boolean;
  colour: boolean;
  log: Logger;
  clock: Clock;
  signal: AbortSignal;
}>;

const namespace = 'argocd';
/** Local repositories are looked at often: a commit shows within seconds, without a push. */
const pollMs = 500;
const drawEveryMs = 250;

const isLocal = (repo: string): boolean => existsSync(resolve(repo));

async function prepareSource(
  request: DemoRequest,
  ports: DemoPorts,
): Promise<{ repository: string; applications: KubeObject[] }> {
  if (request.repo !== undefined) {
    const repository = isLocal(request.repo) ? resolve(request.repo) : request.repo;
    return {
      repository,
      applications: [visitorApplication({ repository, path: request.path, revision: request.revision, namespace })],
    };
  }
  const repository = join(request.directory, 'repository');
  const examples = join(ports.root, 'examples');
  await ensureSampleRepository(repository, examples);
  return { repository, applications: await sampleApplications(await sampleApplicationFiles(examples), repository) };
}

function rowOf(application: KubeObject): Row {
  const conditions = listAt(application, 'status', 'conditions');
  const problem = conditions
    .map((condition) => stringAt(condition, 'message'))
    .find((message) => message !== undefined);
  const waiting = stringAt(application, 'status', 'waitingFor', 0, 'message');
  const running = stringAt(application, 'status', 'operationState', 'phase');
  const message = stringAt(application, 'status', 'operationState', 'message');
  return {
    application: application.metadata.name ?? '',
    sync: stringAt(application, 'status', 'sync', 'status') ?? 'Unknown',
    health: stringAt(application, 'status', 'health', 'status') ?? 'Missing',
    revision:
      stringAt(application, 'status', 'sync', 'revision') ??
      stringAt(application, 'status', 'sync', 'revisions', 0) ??
      '',
    note: (problem ?? waiting ?? (running === 'Succeeded' ? '' : (message ?? ''))).split('\n')[0] ?? '',
  };
}

const isDone = ({ sync, health }: Row): boolean => sync === 'Synced' && health === 'Healthy';

async function readRows(cluster: DemoCluster): Promise<Row[]> {
  const { items } = await cluster.client.list(applicationResource, { namespace });
  return items.map(rowOf).sort((a, b) => a.application.localeCompare(b.application));
}

/** Follows the applications until all are done; the last rows that were seen otherwise. */
async function follow(
  cluster: DemoCluster,
  screen: Screen,
  { ports, untilMs, isCurrent }: Readonly<{ ports: DemoPorts; untilMs: number; isCurrent: () => boolean }>,
): Promise<{ rows: Row[]; done: boolean }> {
  const start = ports.clock.now().getTime();
  for (;;) {
    // What an earlier run left in a status proves nothing of this one.
    const current = isCurrent();
    const rows = await readRows(cluster);
    screen.show(rows);
    const done = current && rows.length > 0 && rows.every(isDone);
    if (done || ports.clock.now().getTime() - start > untilMs) return { rows, done };
    await ports.clock.sleep(drawEveryMs, ports.signal);
  }
}

function lastScreen(
  cluster: DemoCluster,
  { request, repository }: Readonly<{ request: DemoRequest; repository: string }>,
): string {
  const edit =
    request.repo === undefined
      ? [
          `cd ${repository}`,
          `sed -i.bak 's/replicas: .*/replicas: 3/' plain/deployment.yaml && git commit -am 'Three replicas'`,
        ]
      : [`cd ${repository} && git commit ...    # a commit shows within seconds`];
  return [
    '',
    'Pods are simulated: this cluster runs inside the program, and no container is started.',
    ...(request.once ? ['It stops now, with its state kept; `npm start` without --once runs it for these lines.'] : []),
    '',
    'Look around:',
    `  export KUBECONFIG=${cluster.kubeconfigPath}`,
    '  npx tiphys app list',
    '',
    'Change something and watch it arrive:',
    ...edit.map((line) => `  ${line}`),
    '',
    'See what a change would do, before it does:',
    `  npx tiphys app diff ${request.repo === undefined ? 'plain' : 'app'}`,
    '',
  ].join('\n');
}

/** The main job on a laptop: from a Git repository to a healthy cluster, and on with every commit. Returns the exit code. */
export async function runDemo(request: DemoRequest, ports: DemoPorts): Promise<number> {
  const { out, log, clock, signal } = ports;
  out.write('Starting a cluster in this process ...\n');
  const { repository, applications } = await prepareSource(request, ports);
  const cluster = await startDemoCluster({
    directory: request.directory,
    installDir: join(ports.root, 'install'),
    namespace,
    log,
    clock,
    signal,
  });
  await using controller = await startController({
    ...ports.composition,
    client: cluster.client,
    settings: { namespace, repositoryPollMs: pollMs, waveDelayMs: 300, takeOver: false },
  });
  try {
    await applyAll(cluster.client, applications);
    out.write(`Cluster ${cluster.sim.url}, repository ${repository}\n\n`);
    const screen = openScreen(out, { terminal: ports.terminal, colour: ports.colour });
    const { rows, done } = await follow(cluster, screen, {
      ports,
      untilMs: request.once ? request.timeoutMs : Infinity,
      isCurrent: () => controller.controller.stats().unvisited === 0,
    });
    screen.close();
    if (!ports.terminal) out.write(`\n${tableLines(rows, false).join('\n')}\n`);
    if (!done) throw new CodedError('cli/timeout', unfinished(rows, request.timeoutMs));
    out.write(lastScreen(cluster, { request, repository }));
    if (request.once) return 0;
    out.write('Press Ctrl-C to stop; the state is kept.\n\n');
    await watchOn(cluster, ports, rows);
    return 0;
  } finally {
    await controller.stop();
    await cluster.client.close();
    await cluster.sim.stop();
  }
}

/** After the first success: one line for each change, until Ctrl-C. */
async function watchOn(cluster: DemoCluster, ports: DemoPorts, told: readonly Row[]): Promise<void> {
  const screen = openScreen(ports.out, { terminal: false, colour: false }, told);
  while (!ports.signal.aborted) {
    screen.show(await readRows(cluster));
    await ports.clock.sleep(drawEveryMs, ports.signal).catch(() => undefined);
  }
}

const unfinished = (rows: readonly Row[], timeoutMs: number): string => {
  const open = rows
    .filter((row) => !isDone(row))
    .map((row) => `${row.application} is ${row.sync} and ${row.health}${row.note === '' ? '' : `: ${row.note}`}`);
  return `not everything was Synced and Healthy after ${Math.round(timeoutMs / 1000)} s: ${open.join('; ')}`;
};
