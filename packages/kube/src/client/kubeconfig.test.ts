import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringifyYaml, type KubeObject } from '@tiphys/api';
import { fromClusterSecret } from './cluster-secret.ts';
import { inCluster } from './in-cluster.ts';
import { listContexts, loadKubeconfig } from './kubeconfig.ts';
import type { ClusterConfig } from './types.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function load(user: unknown, cluster: Readonly<Record<string, unknown>> = {}, context?: string): ClusterConfig {
  const text = stringifyYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [
      { name: 'here', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
      { name: 'anonymous', context: { cluster: 'c' } },
      { name: 'broken', context: { cluster: 'gone', user: 'u' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://c.example:6443', ...cluster } }],
    users: [{ name: 'u', user }],
  });
  return loadKubeconfig(text, { context, baseDir: '/home/me/.kube', readFile: (path) => `content of ${path}` });
}

const exec = {
  command: 'aws',
  apiVersion: 'client.authentication.k8s.io/v1',
  args: ['eks'],
  env: [{ name: 'A', value: 'b' }],
};

for (const [what, user, expected] of [
  ['nothing', {}, { kind: 'none' }],
  ['token', { token: 't' }, { kind: 'token', token: 't' }],
  [
    'token file, which wins over the token',
    { token: 't', tokenFile: 'tok' },
    { kind: 'token-file', path: '/home/me/.kube/tok' },
  ],
  ['password', { username: 'a', password: 'b' }, { kind: 'basic', username: 'a', password: 'b' }],
  [
    'exec plugin',
    { exec },
    {
      kind: 'exec',
      exec: { ...exec, env: { A: 'b' }, installHint: undefined, provideClusterInfo: false },
    },
  ],
] as const)
  test(`reads a user with ${what}`, () => {
    const config = load(user);
    assert.deepEqual(config.credentials, expected);
    assert.deepEqual([config.name, config.namespace, config.server], ['here', 'shop', 'https://c.example:6443']);
  });

test('reads certificates from text and from files beside the kubeconfig', () => {
  const inline = load(
    { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
    { 'certificate-authority-data': base64('CA') },
  );
  assert.deepEqual([inline.ca, inline.clientCertificate], ['CA', { cert: 'CERT', key: 'KEY' }]);
  const files = load(
    { 'client-certificate': 'c.crt', 'client-key': '/abs/c.key' },
    { 'certificate-authority': '../ca.crt' },
  );
  assert.deepEqual(
    [files.ca, files.clientCertificate],
    ['content of /home/me/ca.crt', { cert: 'content of /home/me/.kube/c.crt', key: 'content of /abs/c.key' }],
  );
});

test('reads proxy, server name, impersonation, and what a plugin is told about the cluster', () => {
  const config = load(
    { exec: { ...exec, command: './bin/plug', provideClusterInfo: true }, as: 'alice', 'as-groups': ['dev', 'ops'] },
    {
      'proxy-url': 'http://p:3128',
      'tls-server-name': 'n',
      'insecure-skip-tls-verify': true,
      'disable-compression': true,
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }],
    },
  );
  assert.deepEqual([config.proxyUrl, config.tlsServerName, config.insecure], ['http://p:3128', 'n', true]);
  assert.deepEqual([load({}, {}).disableCompression, config.disableCompression], [false, true]);
  assert.deepEqual(config.impersonate, { user: 'alice', groups: ['dev', 'ops'], uid: undefined });
  assert.ok(config.credentials.kind === 'exec');
  assert.equal(config.credentials.exec.command, '/home/me/.kube/bin/plug');
  assert.deepEqual(config.credentials.exec.config, { audience: 'x' });
});

for (const [what, run, message] of [
  ['an unknown context', () => load({}, {}, 'there'), /no context "there"; there are: here, anonymous, broken/],
  ['a context whose cluster is missing', () => load({}, {}, 'broken'), /no cluster "gone"/],
  ['a certificate without its key', () => load({ 'client-certificate-data': 'QQ==' }), /user "u".*belong together/],
  [
    'insecure with an authority',
    () => load({}, { 'insecure-skip-tls-verify': true, 'certificate-authority-data': 'QQ==' }),
    /exclude each other/,
  ],
  [
    'a server that is no URL',
    () => load({}, { server: 'c.example' }),
    /cluster "c"\.server: "c\.example" is no http or https URL/,
  ],
  ['an old auth provider', () => load({ 'auth-provider': { name: 'gcp' } }), /use an exec plugin/],
  [
    'a plugin of an unknown version',
    () => load({ exec: { ...exec, apiVersion: 'client.authentication.k8s.io/v1alpha1' } }),
    /v1alpha1/,
  ],
  ['a text that is no kubeconfig', () => loadKubeconfig('- a', { baseDir: '/' }), /no mapping/],
] as const)
  test(`refuses ${what}`, () => {
    assert.throws(run, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'kubeconfig/invalid');
      assert.match(error.message, message);
      return true;
    });
  });

test('lists contexts', () => {
  const text = stringifyYaml({ contexts: [{ name: 'a' }, { name: 'b' }], 'current-context': 'b' });
  assert.deepEqual(listContexts(text), { names: ['a', 'b'], current: 'b' });
});

test('in a cluster it is the service account of the pod', () => {
  const readFile = (path: string): string => `content of ${path}`;
  assert.deepEqual(inCluster({ host: 'fd00::1', port: '443', serviceAccountDir: '/sa', readFile }), {
    name: 'in-cluster',
    server: 'https://[fd00::1]:443',
    namespace: 'content of /sa/namespace',
    ca: 'content of /sa/ca.crt',
    credentials: { kind: 'token-file', path: '/sa/token' },
  });
  assert.throws(() => inCluster({ host: undefined, port: '443' }), /not in a cluster/);
});

const secretOf = (config: unknown): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'staging', namespace: 'argocd' },
  data: {
    name: base64('staging'),
    server: base64('https://staging.example'),
    config: base64(typeof config === 'string' ? config : JSON.stringify(config)),
  },
});

test('CLUS-03 CLUS-04 a cluster Secret with a bearer token', () => {
  const config = fromClusterSecret(
    secretOf({
      bearerToken: 't',
      tlsClientConfig: { caData: base64('CA'), serverName: 's' },
      proxyUrl: 'http://p',
      disableCompression: true,
    }),
  );
  assert.deepEqual(config, {
    name: 'staging',
    server: 'https://staging.example',
    ca: 'CA',
    insecure: false,
    disableCompression: true,
    tlsServerName: 's',
    proxyUrl: 'http://p',
    clientCertificate: undefined,
    credentials: { kind: 'token', token: 't' },
  });
});

test('CLUS-06 a cluster Secret with an exec provider', () => {
  const execProviderConfig = {
    command: 'argocd-k8s-auth',
    args: ['gcp'],
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    env: { A: 'b' },
  };
  const { credentials } = fromClusterSecret(secretOf({ execProviderConfig }));
  assert.ok(credentials.kind === 'exec');
  assert.deepEqual([credentials.exec.args, credentials.exec.env], [['gcp'], { A: 'b' }]);
});

for (const [what, config, message] of [
  ['broken JSON, without quoting it', '{"bearerToken":"s3cret",', /cluster Secret staging: config is no JSON/],
  ['insecure with caData', { tlsClientConfig: { insecure: true, caData: 'QQ==' } }, /exclude each other/],
  ['a certificate without key', { tlsClientConfig: { certData: 'QQ==' } }, /belong together/],
  ['AWS credentials', { awsAuthConfig: { clusterName: 'x' } }, /use execProviderConfig/],
] as const)
  test(`refuses a cluster Secret with ${what}`, () => {
    assert.throws(
      () => fromClusterSecret(secretOf(config)),
      (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes('s3cret'));
        return true;
      },
    );
  });
