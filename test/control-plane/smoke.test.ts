import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './programs.ts';
import { ControlPlaneError, kubernetesVersion, startControlPlane, type ControlPlane } from './start.ts';

/** What these tests read of any object. */
type Seen = {
  metadata: { name: string };
  spec: Record<string, unknown>;
  status: Record<string, unknown> & {
    conditions?: { type: string; status: string; reason?: string }[];
    loadBalancer?: { ingress?: { ip: string }[] };
    containerStatuses?: { restartCount: number; state: { waiting?: { reason: string } } }[];
  };
};

type Answer = { status: number; object: Seen & { gitVersion: string; items: Seen[] } };

class Client {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;
  constructor({ server, caPem }: ControlPlane, token: string) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ ca: caPem });
  }

  async send(method: string, path: string, object?: unknown): Promise<Answer> {
    const sent = request(new URL(path, this.#server), {
      method,
      agent: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    sent.once('error', reject);
    sent.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, object: JSON.parse(body) as Answer['object'] }),
      );
    });
    sent.end(object === undefined ? undefined : JSON.stringify(object));
    return promise;
  }

  async create(path: string, object: unknown): Promise<void> {
    const { status, object: answer } = await this.send('POST', path, object);
    assert.equal(status, 201, JSON.stringify(answer));
  }

  /** Asks for an object until it is as wanted; the failure shows the last state. */
  async until(path: string, isWanted: (object: Answer['object']) => boolean): Promise<Answer['object']> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const { status, object } = await this.send('GET', path);
      if (status === 200 && isWanted(object)) return object;
      assert.ok(
        Date.now() < deadline,
        `not reached in time: GET ${path}: ${String(status)} ${JSON.stringify(object.status)}`,
      );
      await sleep(100);
    }
  }
}

const hasCondition =
  (type: string) =>
  ({ status }: Seen): boolean =>
    (status.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

type Simulated = { annotations?: Record<string, string>; restartPolicy?: string };

const template = (name: string, { annotations = {}, restartPolicy = 'Always' }: Simulated = {}): object => ({
  metadata: { labels: { app: name }, annotations },
  spec: { restartPolicy, containers: [{ name: 'main', image: 'example.invalid/image:1' }] },
});

const deployment = (name: string, simulated: Simulated = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template(name, simulated) },
});

const job = (name: string, simulated: Simulated = {}): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: { backoffLimit: 0, template: template(name, { restartPolicy: 'Never', ...simulated }) },
});

const core = '/api/v1/namespaces/default';
const apps = '/apis/apps/v1/namespaces/default';
const batch = '/apis/batch/v1/namespaces/default';
const networking = '/apis/networking.k8s.io/v1/namespaces/default';

async function startOrExplain(): Promise<ControlPlane | string> {
  try {
    return await startControlPlane();
  } catch (error) {
    if (error instanceof ControlPlaneError && error.code === 'no-go') return error.message;
    throw error;
  }
}

const started = Date.now();
const controlPlane = await startOrExplain();
if (typeof controlPlane === 'string') test('the real control plane', { skip: controlPlane }, () => undefined);
else smokeTests(controlPlane);

function smokeTests(cluster: ControlPlane): void {
  const client = new Client(cluster, cluster.token);

  describe('the real control plane', { timeout: 180_000 }, () => {
    before(() => console.log(`# built or found, and started, in ${String(Date.now() - started)} ms`));
    after(() => cluster.stop());

    test('says which Kubernetes it is', async () => {
      assert.equal((await client.send('GET', '/version')).object.gitVersion, kubernetesVersion);
    });

    test('runs a Deployment on both nodes until it is available', async () => {
      await client.create(`${apps}/deployments`, deployment('web'));
      const web = await client.until(`${apps}/deployments/web`, hasCondition('Available'));
      assert.equal(web.status['readyReplicas'], 2);
      const pods = (await client.send('GET', `${core}/pods?labelSelector=app%3Dweb`)).object.items;
      assert.deepEqual(pods.map((pod) => pod.spec['nodeName']).sort(), ['node-0', 'node-1']);
    });

    test('keeps a Deployment of never-ready pods unavailable', async () => {
      const annotations = { 'sim.tiphys.dev/outcome': 'never-ready' };
      await client.create(`${apps}/deployments`, deployment('shy', { annotations }));
      const shy = await client.until(`${apps}/deployments/shy`, ({ status }) => status['unavailableReplicas'] === 2);
      assert.equal(hasCondition('Available')(shy), false);
    });

    test('restarts crashing pods again and again', async () => {
      const annotations = { 'sim.tiphys.dev/outcome': 'crash', 'sim.tiphys.dev/duration': '100ms' };
      await client.create(`${apps}/deployments`, deployment('crash', { annotations }));
      const restarts = (pod: Seen): number => pod.status.containerStatuses?.[0]?.restartCount ?? 0;
      const pods = await client.until(`${core}/pods?labelSelector=app%3Dcrash`, ({ items }) =>
        items.some((pod) => restarts(pod) >= 2),
      );
      const crashed = pods.items.find((pod) => restarts(pod) >= 2);
      assert.equal(crashed?.status.containerStatuses?.[0]?.state.waiting?.reason, 'CrashLoopBackOff');
    });

    test('completes a Job, and fails one that is told to', async () => {
      await client.create(`${batch}/jobs`, job('good'));
      await client.create(`${batch}/jobs`, job('bad', { annotations: { 'sim.tiphys.dev/outcome': 'fail' } }));
      await client.until(`${batch}/jobs/good`, hasCondition('Complete'));
      await client.until(`${batch}/jobs/bad`, hasCondition('Failed'));
    });

    test('lets a Job run for its duration', async () => {
      await client.create(`${batch}/jobs`, job('long', { annotations: { 'sim.tiphys.dev/duration': '1h' } }));
      const long = await client.until(`${batch}/jobs/long`, ({ status }) => status['ready'] === 1);
      assert.deepEqual(long.status.conditions ?? [], []);
    });

    test('gives addresses to a LoadBalancer Service and an Ingress, unless told not to', async () => {
      const hasAddress = ({ status }: Seen): boolean => status.loadBalancer?.ingress?.[0]?.ip !== undefined;
      const service = (name: string, annotations: Record<string, string>): object => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, annotations },
        spec: { type: 'LoadBalancer', ports: [{ port: 80 }], selector: { app: 'web' } },
      });
      await client.create(`${core}/services`, service('without', { 'sim.tiphys.dev/address': 'none' }));
      await client.create(`${core}/services`, service('with', {}));
      const backend = { service: { name: 'with', port: { number: 80 } } };
      await client.create(`${networking}/ingresses`, { metadata: { name: 'door' }, spec: { defaultBackend: backend } });
      await client.until(`${core}/services/with`, hasAddress);
      await client.until(`${networking}/ingresses/door`, hasAddress);
      assert.equal(hasAddress((await client.send('GET', `${core}/services/without`)).object), false);
    });

    test('binds a claim to a volume', async () => {
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
      await client.create(`${core}/persistentvolumeclaims`, { metadata: { name: 'disk' }, spec });
      await client.until(`${core}/persistentvolumeclaims/disk`, ({ status }) => status['phase'] === 'Bound');
    });

    test('deletes what an owner owns', async () => {
      await client.send('DELETE', `${apps}/deployments/web?propagationPolicy=Foreground`);
      await client.until(`${core}/pods?labelSelector=app%3Dweb`, ({ items }) => items.length === 0);
    });

    test('lets the restricted user do nothing until a role is bound', async () => {
      const restricted = new Client(cluster, cluster.restricted.token);
      assert.equal((await restricted.send('GET', `${core}/configmaps`)).status, 403);
      const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings';
      await client.create(rbac, {
        metadata: { name: 'viewer' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'restricted' }],
      });
      const deadline = Date.now() + 10_000; // the authorizer reads bindings from a watch
      while ((await restricted.send('GET', `${core}/configmaps`)).status !== 200) {
        assert.ok(Date.now() < deadline);
        await sleep(50);
      }
      assert.equal((await new Client(cluster, 'nobody').send('GET', '/api')).status, 401);
    });

    test('survives a restart of the API server, with its objects', async () => {
      const before = cluster.processes().get('kube-apiserver');
      await cluster.restart('kube-apiserver');
      assert.notEqual(cluster.processes().get('kube-apiserver'), before);
      assert.equal((await client.send('GET', `${batch}/jobs/good`)).status, 200);
      await client.create(`${apps}/deployments`, deployment('later')); // every other part must have found it again
      await client.until(`${apps}/deployments/later`, hasCondition('Available'));
    });

    test('listens on the loopback address alone', { skip: process.platform !== 'linux' }, async () => {
      const own = new Set<string>();
      for (const pid of cluster.processes().values())
        for (const descriptor of await readdir(`/proc/${String(pid)}/fd`))
          own.add(await readlink(`/proc/${String(pid)}/fd/${descriptor}`).catch(() => ''));
      const listening: string[] = [];
      for (const file of ['tcp', 'tcp6'])
        for (const line of (await readFile(`/proc/net/${file}`, 'utf8')).split('\n').slice(1)) {
          const [, local = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
          if (state === '0A' && own.has(`socket:[${inode}]`)) listening.push(local.split(':')[0] ?? '');
        }
      assert.ok(listening.length >= 3, 'etcd for clients and for peers, and the API server');
      assert.deepEqual([...new Set(listening)], ['0100007F']); // 127.0.0.1, as the kernel writes it
    });

    test('keeps tokens, keys and certificates in a temporary folder that is for this user alone', async () => {
      assert.ok(cluster.directory.startsWith(tmpdir()));
      assert.equal((await stat(cluster.directory)).mode & 0o777, 0o700);
      assert.equal((await stat(join(cluster.directory, 'tokens.csv'))).mode & 0o777, 0o600);
      for (const name of ['service-account.key', 'service-account.pub', 'apiserver.key', 'ca.crt'])
        assert.ok((await stat(join(cluster.directory, 'pki', name))).isFile(), name);
    });

    test('leaves no process and no folder after stop', async () => {
      const numbers = [...cluster.processes().values()];
      assert.equal(numbers.length, 5);
      await cluster.stop();
      assert.deepEqual(numbers.filter(isAlive), []);
      assert.equal(existsSync(cluster.directory), false);
    });

    test('ends with a launcher that is killed', async () => {
      const launcher = spawn(process.execPath, [join(import.meta.dirname, 'run.ts')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [path] = (await once(createInterface(launcher.stdout), 'line')) as [string];
      const server = /server: (\S+)/.exec(await readFile(path, 'utf8'))?.[1] ?? '';
      launcher.kill('SIGKILL');
      await once(launcher, 'exit');
      const deadline = Date.now() + 5000;
      while (await isListening(Number(new URL(server).port))) {
        assert.ok(Date.now() < deadline, 'the API server outlived its launcher');
        await sleep(50);
      }
      await rm(dirname(path), { recursive: true, force: true }); // or the next start would
    });
  });
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
