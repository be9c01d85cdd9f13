import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { asObject, isRecord, type KubeObject, parseYamlDocuments } from '@tiphys/api';
import { loadKubeconfigFile } from '@tiphys/kube';
import fc from 'fast-check';
import { openTestCluster, type TestCluster } from '../sync/write/writer.suite.ts';
import { compareObject } from './compare-object.ts';
import { defaultCompareOptions } from './normalise.ts';

const file = new URL('testdata/awkward.yaml', import.meta.url);
const manifests = parseYamlDocuments(await readFile(file, 'utf8')).map((one) => asObject(one));

describe('what follows a change', () => {
  let cluster: TestCluster;
  before(async () => {
    const kubeconfig = process.env['TIPHYS_TEST_KUBECONFIG'];
    cluster = await openTestCluster(kubeconfig === undefined ? undefined : loadKubeconfigFile(kubeconfig));
  });
  after(() => cluster[Symbol.asyncDispose]());

  const kinds = new Set([
    'Deployment',
    'Service',
    'ConfigMap',
    'Secret',
    'HorizontalPodAutoscaler',
    'NetworkPolicy',
    'DaemonSet',
  ]);
  const bases = manifests.filter(({ kind, metadata }) => kinds.has(kind) && metadata.name !== 'headless');

  /** Fields without which the API server refuses the object, or which it never lets change. */
  const needed = new Set([
    'apiVersion',
    'kind',
    'metadata',
    'name',
    'selector',
    'template',
    'spec',
    'containers',
    'image',
    'matchLabels',
    'labels',
    'app',
    'port',
    'ports',
    'protocol',
    'containerPort',
    'type',
    'maxReplicas',
    'scaleTargetRef',
    'podSelector',
    'mountPath',
    'volumes',
    'volumeMounts',
    'httpGet',
    'tcpSocket',
    'fieldRef',
    'fieldPath',
    'resource',
    'target',
    'averageValue',
    'averageUtilization',
    'resourceFieldRef',
    'maxSkew',
    'topologyKey',
    'whenUnsatisfiable',
    'secret',
    'configMap',
    'projected',
    'sources',
    'valueFrom',
    'items',
    'emptyDir',
    'clusterIP',
    // The server derives it from other fields when an object is created, and from then on keeps it.
    'policyTypes',
    'namespaceSelector',
    'limits',
  ]);

  /** The value with some of its optional fields and list elements left out, as the numbers say. */
  function thinned(value: unknown, draw: () => boolean, key = ''): unknown {
    if (Array.isArray(value)) {
      const keepAll =
        value.length <= 1 ||
        key === 'containers' ||
        key === 'policyTypes' ||
        key === 'volumes' ||
        key === 'ports' ||
        key === 'metrics' ||
        key === 'args';
      return value.filter(() => keepAll || draw()).map((entry) => thinned(entry, draw));
    }
    if (!isRecord(value)) return value;
    const kept = Object.entries(value).filter(([name]) => needed.has(name) || draw());
    return Object.fromEntries(kept.map(([name, entry]) => [name, thinned(entry, draw, name)]));
  }

  const drawFrom = (seed: number): (() => boolean) => {
    let state = seed >>> 0;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state > 2 ** 32 * 0.3;
    };
  };

  const desiredOf = (base: KubeObject, seed: number, name: string): KubeObject => {
    const thin = asObject(thinned(base, drawFrom(seed)));
    return cluster.tracked({ ...thin, metadata: { ...thin.metadata, name } });
  };

  /** Structs that are empty say nothing, and are there or not. */
  const bare = new Set(['affinity', 'capabilities', 'resources', 'securityContext', 'strategy']);

  function withoutBare(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(withoutBare);
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, entry]) => [key, withoutBare(entry)] as const)
        .filter(([key, entry]) => !(bare.has(key) && isRecord(entry) && Object.keys(entry).length === 0)),
    );
  }

  /** What of a live object does not depend on which object it is. */
  function comparable(live: KubeObject | undefined): unknown {
    if (live === undefined) return undefined;
    const { metadata, status: _status, ...rest } = live;
    const spec = isRecord(rest['spec'])
      ? Object.fromEntries(Object.entries(rest['spec']).filter(([k]) => !/^clusterIPs?$/.test(k)))
      : undefined;
    return withoutBare({ ...rest, ...(spec !== undefined && { spec }), labels: metadata.labels });
  }

  let count = 0;

  test('DIFF-01 a change followed leaves what a fresh object would be', async () => {
    const runs = 40;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bases.length - 1),
        fc.tuple(fc.nat(), fc.nat()),
        fc.boolean(),
        async (index, [before_, after_], serverSide) => {
          const base = bases[index];
          assert.ok(base);
          const name = `followed-${(count += 1)}`;
          const syncOptions = serverSide ? ['ServerSideApply=true'] : [];
          const settings = { options: defaultCompareOptions, ignore: [] };
          const first = await cluster.sync([desiredOf(base, before_, name)], { syncOptions });
          assert.equal(first.phase, 'Succeeded', first.message);
          const desired = desiredOf(base, after_, name);
          const second = await cluster.sync([desired], { syncOptions });
          assert.equal(second.phase, 'Succeeded', second.message);
          const live = await cluster.get(desired);
          assert.ok(live);
          assert.deepEqual(compareObject(desired, live, settings).differences, []);
          const other = desiredOf(base, after_, `${name}-fresh`);
          const third = await cluster.sync([other], { syncOptions });
          assert.equal(third.phase, 'Succeeded', third.message);
          assert.deepEqual(comparable(live), comparable(await cluster.get(other)));
        },
      ),
      { numRuns: runs, seed: Number(process.env['TIPHYS_TEST_SEED'] ?? 20261121) },
    );
  });
});
