import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startKubeSim, type KubeSim } from './index.ts';

const kubectl = process.env['TIPHYS_KUBECTL'] ?? path.resolve(import.meta.dirname, '../../../.cache/tools/kubectl');
const skip = existsSync(kubectl) ? false : `there is no kubectl at ${kubectl}; the set-up fetches it`;

const manifests = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "example/web:1", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "example/once:1"}]
`;

/** A session as people have it, with the real kubectl; each step goes on from the one before. */
describe('kubectl', { skip }, () => {
  let sim: KubeSim;
  const folder = mkdtempSync(path.join(tmpdir(), 'kube-sim-kubectl-'));
  const file = (name: string): string => path.join(folder, name);

  before(async () => {
    sim = await startKubeSim({ simulation: { startMs: 20, runMs: 20, stopMs: 10 } });
    writeFileSync(file('kubeconfig'), sim.kubeconfig());
    writeFileSync(file('app.yaml'), manifests);
    writeFileSync(file('changed.yaml'), manifests.replace('web:1', 'web:2'));
  });
  after(async () => {
    await sim.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  type Output = Readonly<{ code: number; stdout: string; stderr: string }>;

  const run = (...args: readonly string[]): Promise<Output> =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: file('kubeconfig') };
      execFile(kubectl, args, { env, timeout: 20_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
    });

  const succeed = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  test('version and api-resources', async () => {
    assert.match(await succeed('version'), /Server Version: v1\.35\.4/);
    assert.match(await succeed('api-resources'), /deployments +deploy +apps\/v1 +true +Deployment/);
  });

  test('apply, rollout status, wait', async () => {
    assert.match(await succeed('apply', '-f', file('app.yaml')), /deployment\.apps\/web created/);
    assert.match(await succeed('rollout', 'status', 'deployment/web', '--timeout=10s'), /successfully rolled out/);
    assert.match(await succeed('wait', '--for=condition=complete', 'job/once', '--timeout=10s'), /condition met/);
  });

  test('get with tables, -o wide, -o yaml, -w', async () => {
    assert.match(await succeed('get', 'deployments'), /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 /);
    assert.match(await succeed('get', 'pods', '-o', 'wide'), /NOMINATED NODE/);
    assert.match(await succeed('get', 'service', 'web', '-o', 'yaml'), /clusterIP: 10\.96\./);
    const watched = run('get', 'configmaps', '-w', '--request-timeout=1s');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await succeed('create', 'configmap', 'seen', '--from-literal=a=b');
    assert.match((await watched).stdout, /seen +1 /);
  });

  test('describe shows conditions and events', async () => {
    const text = await succeed('describe', 'deployment', 'web');

    assert.match(text, /Available +True +MinimumReplicasAvailable/);
    assert.match(text, /ScalingReplicaSet/);
  });

  test('diff sees what apply would change', async () => {
    assert.equal((await run('diff', '-f', file('app.yaml'))).code, 0);
    const { code, stdout } = await run('diff', '-f', file('changed.yaml'));

    assert.equal(code, 1);
    assert.match(stdout, /\+ +- image: example\/web:2/);
  });

  test('server-side apply: its own manager, conflicts, force', async () => {
    await succeed('apply', '--server-side', '-f', file('app.yaml'));
    const { code, stderr } = await run('apply', '--server-side', '--field-manager=other', '-f', file('changed.yaml'));
    await succeed('apply', '--server-side', '--field-manager=other', '--force-conflicts', '-f', file('changed.yaml'));

    assert.notEqual(code, 0);
    assert.match(stderr, /Apply failed with 1 conflict: conflict with "kubectl"/);
    assert.match(stderr, /containers\[name="main"\]\.image/);
  });

  test('patch in its three forms', async () => {
    await succeed(
      'patch',
      'deployment',
      'web',
      '-p',
      '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s"}]}}}}',
    );
    await succeed('patch', 'deployment', 'web', '--type=merge', '-p', '{"metadata":{"labels":{"a":"b"}}}');
    await succeed(
      'patch',
      'deployment',
      'web',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/metadata/labels/c","value":"d"}]',
    );
    const shown = await succeed(
      'get',
      'deployment',
      'web',
      '-o',
      'jsonpath={.metadata.labels} {.spec.template.spec.containers[*].name}',
    );

    assert.equal(shown, '{"a":"b","c":"d"} side main');
  });

  test('scale, rollout history and undo', async () => {
    await succeed('scale', 'deployment/web', '--replicas=3');
    await succeed('rollout', 'status', 'deployment/web', '--timeout=10s');
    assert.match(await succeed('rollout', 'history', 'deployment/web'), /REVISION/);
    await succeed('rollout', 'undo', 'deployment/web');
    await succeed('rollout', 'status', 'deployment/web', '--timeout=10s');
    assert.equal(await succeed('get', 'deployment', 'web', '-o', 'jsonpath={.status.readyReplicas}'), '3');
  });

  test('explain and strict validation know the fields', async () => {
    assert.match(await succeed('explain', 'deployment.spec.strategy'), /rollingUpdate\s+<RollingUpdateDeployment>/);
    writeFileSync(file('typo.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndatum: {a: b}\n');
    const { code, stderr } = await run('apply', '-f', file('typo.yaml'));

    assert.notEqual(code, 0);
    assert.match(stderr, /unknown field "datum"/);
  });

  test('create speaks protobuf, and auth is answered', async () => {
    await succeed('create', 'namespace', 'room');
    await succeed('create', 'deployment', 'd', '-n', 'room', '--image=example/d:1', '--replicas=2', '--port=80');
    await succeed('create', 'secret', 'generic', 's', '-n', 'room', '--from-literal=a=b');
    assert.equal(await succeed('get', 'secret', 's', '-n', 'room', '-o', 'jsonpath={.data.a}'), 'Yg==');
    assert.match(await succeed('auth', 'can-i', 'delete', 'pods'), /yes/);
  });

  test('delete in every propagation policy, and a namespace', async () => {
    await succeed('delete', 'deployment', 'web', '--cascade=orphan');
    assert.match(await succeed('get', 'replicasets'), /web-/);
    await succeed('delete', 'replicasets', '--all', '--cascade=foreground', '--timeout=10s');
    await succeed('delete', 'job', 'once', '--cascade=background');
    await succeed('wait', '--for=delete', 'pod', '--all', '--timeout=10s');
    await succeed('delete', 'namespace', 'room', '--timeout=10s');
    const { stderr } = await run('get', 'pods', '-A');

    assert.match(stderr, /No resources found/);
  });
});
