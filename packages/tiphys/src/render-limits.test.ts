import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from './config.ts';
import { readRenderLimits } from './render-limits.ts';

const read = (env: Record<string, string>) => readRenderLimits(readEnvironment(env));

test('limits of rendering come from the variables that Argo CD reads; what cannot be read is an error that names it', () => {
  const limits = read({
    ARGOCD_EXEC_TIMEOUT: '2m30s',
    ARGOCD_HELM_INDEX_CACHE_DURATION: '10m',
    ARGOCD_REPO_SERVER_HELM_MANIFEST_MAX_INDEX_SIZE: '2G',
  });
  assert.deepEqual(limits, { timeoutMs: 150_000, indexMs: 600_000, maxIndexBytes: 2_000_000_000 });
  assert.deepEqual(read({ ARGOCD_EXEC_TIMEOUT: '' }), {});
  for (const name of ['ARGOCD_EXEC_TIMEOUT', 'ARGOCD_REPO_SERVER_HELM_MANIFEST_MAX_INDEX_SIZE'])
    assert.throws(() => read({ [name]: 'much' }), {
      code: 'config/invalid',
      message: new RegExp(`^${name}: `),
    });
});

test('a deadline of nothing is refused: every run would be over before it began', () => {
  assert.deepEqual(read({ ARGOCD_HELM_INDEX_CACHE_DURATION: '0' }), { indexMs: 0 });
  const refused = [
    ['ARGOCD_EXEC_TIMEOUT', '0'],
    ['ARGOCD_EXEC_TIMEOUT', '-1s'],
    ['ARGOCD_HELM_INDEX_CACHE_DURATION', '-1s'],
    ['ARGOCD_REPO_SERVER_HELM_MANIFEST_MAX_INDEX_SIZE', '0'],
  ] as const;
  for (const [name, text] of refused)
    assert.throws(() => read({ [name]: text }), { code: 'config/invalid', message: new RegExp(`^${name}: `) }, text);
});
