import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { at, stringAt } from '@tiphys/api';
import { startKubeSim, type KubeSim } from '../../index.ts';
import { call, eventually } from '../../testing/client.ts';

const core = '/api/v1/namespaces/default';
const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';

const post = (sim: KubeSim, to: string, body: unknown) => call(sim, to, { method: 'POST', body });

/** An account that may read config maps, and a token of it. */
async function robot(sim: KubeSim): Promise<string> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } };
  await post(sim, `${core}/serviceaccounts`, account);
  await post(sim, `${rbac}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'maps' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }],
  });
  await post(sim, `${rbac}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'maps' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maps' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }],
  });
  const { body } = await post(sim, `${core}/serviceaccounts/robot/token`, { spec: {} });
  return stringAt(body, 'status', 'token') ?? '';
}

test('a service account may do what its roles say, and no more; its token ends with it and outlives the server', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kube-sim-rights-'));
  const options = { stateFile: path.join(folder, 'state.sqlite') };
  try {
    const first = await startKubeSim(options);
    const token = await robot(first);
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };

    assert.equal(token.split('.').length, 3);
    assert.equal((await call(first, `${core}/configmaps`, { token })).code, 200);
    const refused = await call(first, `${core}/configmaps`, { method: 'POST', body: map, token });
    assert.equal(refused.code, 403);
    assert.equal(
      stringAt(refused.body, 'message'),
      'configmaps is forbidden: User "system:serviceaccount:default:robot" cannot create resource "configmaps" in API group "" in the namespace "default"',
    );
    assert.equal((await call(first, '/api/v1/namespaces/kube-system/configmaps', { token })).code, 403);
    assert.equal((await call(first, '/api/v1/nodes', { token })).code, 403);
    await first.stop();

    await using second = await startKubeSim(options);
    assert.equal((await call(second, `${core}/configmaps`, { token })).code, 200);
    assert.equal((await call(second, `${core}/configmaps`, { token: `${token.slice(0, -4)}AAAA` })).code, 401);
    await call(second, `${core}/serviceaccounts/robot`, { method: 'DELETE' });
    assert.equal((await call(second, `${core}/configmaps`, { token })).code, 401);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a Secret for a service account gets a token that works', async () => {
  await using sim = await startKubeSim();
  await robot(sim);
  const metadata = { name: 'long', annotations: { 'kubernetes.io/service-account.name': 'robot' } };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/service-account-token' };
  await post(sim, `${core}/secrets`, secret);

  let token = '';
  await eventually(async () => {
    const { body } = await call(sim, `${core}/secrets/long`);
    const found = stringAt(body, 'data', 'token');
    assert.ok(found !== undefined);
    token = Buffer.from(found, 'base64').toString();
  });
  assert.equal((await call(sim, `${core}/configmaps`, { token })).code, 200);
});

test('a review says what the roles say', async () => {
  await using sim = await startKubeSim();
  await robot(sim);
  const review = (verb: string) => ({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'system:serviceaccount:default:robot',
      resourceAttributes: { namespace: 'default', verb, resource: 'configmaps' },
    },
  });
  const to = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

  assert.equal(at((await post(sim, to, review('list'))).body, 'status', 'allowed'), true);
  assert.equal(at((await post(sim, to, review('delete'))).body, 'status', 'allowed'), false);
});
