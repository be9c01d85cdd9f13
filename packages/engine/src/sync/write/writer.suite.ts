import {
  keyOf,
  keyText,
  type KubeObject,
  silentLogger,
  systemClock,
  type TrackingSettings,
  withTracking,
} from '@tiphys/api';
import { connect, type ClusterConfig, type KubeClient } from '@tiphys/kube';
import { startKubeSim } from '@tiphys/kube-sim';
import { diff } from '../../diff/diff.ts';
import { defaultCompareOptions } from '../../diff/normalise.ts';
import { assess } from '../../health/built-in.ts';
import { carryOut, initialProgress, writeContext, type Running } from '../carry-out.ts';
import { openClusterWriter } from './cluster-writer.ts';
import { decideStep } from '../decide-step.ts';
import { planSync } from '../plan-sync.ts';
import { request as plainRequest } from '../plans.suite.ts';
import type { SyncRequest, SyncStep } from '../types.ts';
import type { ClusterWriter, DeploymentRecord, WriterPorts, WriterSettings } from './types.ts';

export const tracking: TrackingSettings = {
  method: 'annotation',
  instanceLabelKey: 'app.kubernetes.io/instance',
  installationId: '',
};

export type Ended = Readonly<{
  phase: string;
  message: string;
  /** `Kind/name: message`, in the order of the results. */
  results: readonly string[];
  steps: readonly string[];
}>;

/** A cluster with a namespace of its own, a writer on it, and whole operations. */
export type TestCluster = AsyncDisposable &
  Readonly<{
    client: KubeClient;
    namespace: string;
    records: readonly DeploymentRecord[];
    writer: (ports?: Partial<WriterPorts>, settings?: Partial<WriterSettings>) => ClusterWriter;
    get: (object: KubeObject) => Promise<KubeObject | undefined>;
    /** Objects of this application as Git would hold them. */
    tracked: (object: KubeObject) => KubeObject;
    sync: (
      desired: readonly KubeObject[],
      request?: Partial<SyncRequest>,
      known?: readonly KubeObject[],
    ) => Promise<Ended>;
  }>;

const application = 'shop';

/** The embedded cluster, or the one that TIPHYS_TEST_KUBECONFIG names through `config`. */
export async function openTestCluster(config?: ClusterConfig): Promise<TestCluster> {
  const sim = config === undefined ? await startKubeSim({ simulation: {} }) : undefined;
  const ports = { log: silentLogger, clock: systemClock };
  const target: ClusterConfig = config ?? {
    name: 'embedded',
    server: sim?.url ?? '',
    ca: sim?.caPem,
    credentials: { kind: 'token', token: sim?.token ?? '' },
  };
  const client = connect(target, { qps: 1000, burst: 1000 }, ports);
  const namespace = `writer-${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const records: DeploymentRecord[] = [];
  const writer: TestCluster['writer'] = (more = {}, settings = {}) =>
    openClusterWriter(
      { ...ports, client, record: (record) => records.push(record), mayWrite: () => undefined, ...more },
      { cluster: 'test', tracking, readOnly: false, maxPrune: undefined, ...settings },
    );
  const get: TestCluster['get'] = (object) => {
    const [group = '', version = ''] = object.apiVersion.includes('/')
      ? object.apiVersion.split('/')
      : ['', object.apiVersion];
    const { name = '', namespace: own } = object.metadata;
    return client.get({ gvk: { group, version, kind: object.kind }, namespace: own, name });
  };

  const readLive = async (objects: readonly KubeObject[]): Promise<Map<string, KubeObject>> => {
    const live = new Map<string, KubeObject>();
    for (const object of objects) {
      const found = await get(object).catch(() => undefined);
      if (found !== undefined) live.set(keyText(keyOf(object)), found);
    }
    return live;
  };

  const sync: TestCluster['sync'] = async (desired, more = {}, known = []) => {
    const signal = AbortSignal.timeout(30_000);
    const live = await readLive([...desired, ...known]);
    const changes = diff(desired, live, { application, tracking, options: defaultCompareOptions, ignore: [] });
    const startedAt = new Date().toISOString();
    const request = { ...plainRequest, application, tracking, destinationNamespace: namespace, startedAt, ...more };
    const plan = planSync({ desired, changes, live }, request);
    const context = writeContext(plan, { application, revision: request.revision, initiatedBy: 'tester', signal });
    const ports_ = {
      writer: writer(),
      health: (one: KubeObject) => assess(one),
      now: () => new Date(),
      concurrency: 5,
    };
    let running: Running = { plan, results: [], progress: initialProgress, context };
    const steps: string[] = [];
    const ended = (end: { phase: string; message: string }): Ended => ({
      ...end,
      steps,
      results: running.results.map(({ kind, name, message = '' }) => `${kind}/${name}: ${message}`),
    });
    for (;;) {
      signal.throwIfAborted();
      const objects = plan.tasks.map((task) => (task.kind === 'prune' ? task.live : task.object));
      const { step, results } = decideStep(plan, {
        results: running.results,
        live: await readLive(objects),
        health: (one) => assess(one),
        progress: running.progress,
        stop: undefined,
        waveDelayMs: 0,
        now: new Date(),
      });
      running = { ...running, results };
      steps.push(stepText(step));
      if (step.kind === 'finish') return ended(step);
      if (step.kind === 'wait') {
        await systemClock.sleep(50, signal);
        continue;
      }
      const outcome = await carryOut(step, running, ports_);
      running = { ...running, ...outcome };
      if (outcome.finish !== undefined) return ended(outcome.finish);
    }
  };

  return {
    client,
    namespace,
    records,
    writer,
    get,
    sync,
    tracked: (object) =>
      withTracking({ ...object, metadata: { ...object.metadata, namespace } }, application, tracking),
    [Symbol.asyncDispose]: async () => {
      await client
        .delete({ gvk: { group: '', version: 'v1', kind: 'Namespace' }, name: namespace })
        .catch(() => undefined);
      await client.close();
      await sim?.stop();
    },
  };
}

const stepText = (step: SyncStep): string => (step.kind === 'run' ? `run ${step.phase} ${step.wave}` : step.kind);
