import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessOf, accessTo } from './repository-access.ts';

const credentials = { username: 'ada', password: 's3cret' };
const registered = (urls: readonly string[], prefixes: readonly string[] = []) => ({
  repositories: urls.map((url) => accessOf({ url, type: 'helm', enableOCI: 'true', ...credentials })),
  prefixes: prefixes.map((url) => accessOf({ url, ...credentials })),
});

test('REPO-17 a registry is the same with and without its scheme, and keeps its settings', () => {
  const secret = { url: 'registry.example.com:5000/charts', enableOCI: 'true', insecureOCIForceHttp: 'true' };
  const known = { repositories: [accessOf({ ...secret, ...credentials })], prefixes: [] };
  for (const url of ['registry.example.com:5000/charts', 'oci://registry.example.com:5000/charts/']) {
    const { enableOci, forceHttp, credentials: found, url: kept } = accessTo(url, known);
    assert.deepEqual(
      { enableOci, forceHttp, found, kept },
      { enableOci: true, forceHttp: true, found: credentials, kept: url },
    );
  }
  assert.equal(accessTo('registry.example.com:5000/other', known).credentials, undefined);
});

test('REPO-17 credentials of a prefix are for its host, and for no other whose name begins the same', () => {
  const known = registered([], ['https://git.example.com', 'ghcr.io/team', 'https://git.example.com/a']);
  const has = (url: string): boolean => accessTo(url, known).credentials !== undefined;
  for (const url of [
    'https://git.example.com/x/y.git',
    'https://git.example.com/ab',
    'ghcr.io/team/charts',
    'oci://ghcr.io/team-two',
  ])
    assert.equal(has(url), true, url);
  for (const url of [
    'https://git.example.com.evil.example/x',
    'https://git.example.community/x',
    'https://git.example.com:8443/x',
    'http://git.example.com/x',
    'ghcr.io.evil.example/team',
    'ghcr.io/other',
  ])
    assert.equal(has(url), false, url);
});

test('REPO-17 a host is known by the certificate of argocd-tls-certs-cm, whatever its port', () => {
  const known = {
    ...registered(['https://git.example.com/x']),
    certificates: { 'git.example.com': 'PEM', 'r.example': 'OCI' },
  };
  assert.equal(accessTo('https://git.example.com/x', known).caPem, 'PEM');
  assert.equal(accessTo('https://git.example.com:8443/y', known).caPem, 'PEM');
  assert.equal(accessTo('oci://r.example:5000/charts', known).caPem, 'OCI');
  assert.equal(accessTo('r.example/charts', known).caPem, 'OCI');
  assert.equal(accessTo('https://other.example.com/x', known).caPem, undefined);
});

test('REPO-16 a chart repository is also found by its name, as charts write it', () => {
  const known = {
    repositories: [accessOf({ url: 'https://charts.example.com/x', type: 'helm', name: 'corp', ...credentials })],
    prefixes: [],
  };
  for (const alias of ['@corp', 'alias:corp'])
    assert.equal(accessTo(alias, known).url, 'https://charts.example.com/x', alias);
  assert.equal(accessTo('@other', known).url, '@other');
});

test('a name that stands for a name stands for nothing, and for itself neither', () => {
  const repositories = [
    accessOf({ url: '@corp', type: 'helm', name: 'corp' }),
    accessOf({ url: '@other', type: 'helm', name: 'mine', ...credentials }),
    accessOf({ url: 'https://charts.example.com', type: 'helm', name: 'other', ...credentials }),
  ];
  const reached = (url: string): string => accessTo(url, { repositories, prefixes: [] }).url;
  assert.equal(reached('@other'), 'https://charts.example.com');
  for (const url of ['@corp', 'alias:corp', '@mine']) assert.equal(reached(url), url);
});
