import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { asObject, describeKey, keyOf, type KubeObject, parseYamlDocuments } from '@tiphys/api';
import { loadKubeconfigFile } from '@tiphys/kube';
import { openTestCluster, type TestCluster } from '../sync/write/writer.suite.ts';
import { compareObject } from './compare-object.ts';
import { defaultCompareOptions } from './normalise.ts';

const file = new URL('testdata/awkward.yaml', import.meta.url);
const manifests = parseYamlDocuments(await readFile(file, 'utf8')).map((one) => asObject(one));
let cluster: TestCluster;
const settings = { options: defaultCompareOptions, ignore: [] };
const variants = { 'client-side': [], 'server-side': ['ServerSideApply=true'], replace: ['Replace=true'] };

const named = (manifest: KubeObject, suffix: string): KubeObject =>
  cluster.tracked({
    ...manifest,
    metadata: { ...manifest.metadata, name: `${manifest.metadata.name ?? ''}-${suffix}` },
  });

describe('what was applied does not differ', () => {
  before(async () => {
    const kubeconfig = process.env['TIPHYS_TEST_KUBECONFIG'];
    cluster = await openTestCluster(kubeconfig === undefined ? undefined : loadKubeconfigFile(kubeconfig));
  });
  after(() => cluster[Symbol.asyncDispose]());

  for (const [variant, syncOptions] of Object.entries(variants))
    for (const manifest of manifests)
      test(`DIFF-01 ${describeKey(keyOf(manifest))}, ${variant}`, async () => {
        const desired = named(manifest, variant);
        const first = await cluster.sync([desired], { syncOptions });
        assert.equal(first.phase, 'Succeeded', first.message);
        const live = await cluster.get(desired);
        assert.ok(live);
        assert.deepEqual(compareObject(desired, live, settings).differences, []);
        // A server-side apply of the same text may write: the server compares before it fills in defaults.
        if (variant !== 'client-side') return;
        const again = await cluster.sync([desired], { syncOptions });
        assert.match(again.results[0] ?? '', /unchanged$/);
      });
});
