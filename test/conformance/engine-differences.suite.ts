import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, type KubeObject, stringifyJson } from '@tiphys/api';
import { configMap, customResourceDefinition, deployment, secret } from './harness/manifests.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object by its type (`policy/v1/PodDisruptionBudget`). */
const of = (type: string, name: string, rest: object): KubeObject => ({
  apiVersion: type.slice(0, type.lastIndexOf('/')),
  kind: type.slice(type.lastIndexOf('/') + 1),
  metadata: { name },
  ...rest,
});

/** As charts write them: empty, zero and null where nothing is meant, and parts whose defaults the server adds. */
const loose = (): KubeObject[] => [
  of('v1/Service', 'empty-address', {
    spec: {
      clusterIP: '',
      type: '',
      externalIPs: [],
      ports: [{ port: 80, protocol: '', targetPort: 0 }],
      selector: {},
    },
  }),
  of('v1/Secret', 'no-type', { type: '', data: null, stringData: { a: 'b', empty: '' } }),
  of('v1/ConfigMap', 'nothing', { data: null, binaryData: {}, immutable: null }),
  of('v1/LimitRange', 'limits', {
    spec: { limits: [{ type: 'Container', default: { cpu: 1 }, defaultRequest: { memory: '0.5Gi' } }] },
  }),
  of('policy/v1/PodDisruptionBudget', 'budget', { spec: { maxUnavailable: '50%', selector: { matchLabels: {} } } }),
  of('networking.k8s.io/v1/NetworkPolicy', 'all', {
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
  }),
  of('rbac.authorization.k8s.io/v1/RoleBinding', 'binding', {
    roleRef: { apiGroup: '', kind: 'Role', name: 'role' },
    subjects: [{ kind: 'ServiceAccount', name: 'one', apiGroup: '' }],
  }),
  of('rbac.authorization.k8s.io/v1/Role', 'role', { rules: [] }),
  of('autoscaling/v2/HorizontalPodAutoscaler', 'scaler', {
    spec: {
      minReplicas: null,
      maxReplicas: 3,
      metrics: null,
      behavior: { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } },
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'page' },
    },
  }),
  of('batch/v1/CronJob', 'seldom', {
    spec: {
      schedule: '0 0 1 1 *',
      concurrencyPolicy: '',
      suspend: null,
      jobTemplate: {
        metadata: { creationTimestamp: null },
        spec: {
          template: {
            metadata: { creationTimestamp: null, annotations: null },
            spec: {
              restartPolicy: 'Never',
              affinity: {},
              containers: [
                {
                  name: 'main',
                  image: 'registry.example/app:1',
                  imagePullPolicy: '',
                  resources: {},
                  env: null,
                  ports: [],
                },
              ],
            },
          },
        },
      },
    },
  }),
  of('apps/v1/StatefulSet', 'stateful', {
    spec: {
      replicas: 0,
      serviceName: '',
      updateStrategy: {},
      selector: { matchLabels: { app: 'stateful' } },
      template: {
        metadata: { labels: { app: 'stateful' } },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'registry.example/app:1',
              livenessProbe: { httpGet: { path: '', port: 80, scheme: '' }, periodSeconds: 0, timeoutSeconds: 0 },
              ports: [
                { containerPort: 53, protocol: 'UDP' },
                { containerPort: 53, protocol: 'TCP' },
              ],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data', creationTimestamp: null },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
          status: {},
        },
      ],
    },
  }),
];

/** What is a difference and what is none, where manifests and clusters write the same in other words. */
export function differenceTests(world: World): void {
  for (const [variant, syncOptions] of [
    ['client-side', []],
    ['server-side', ['ServerSideApply=true']],
  ] as const)
    test(`DIFF-01 DIFF-14 what says nothing is no difference, after ${variant} apply`, async (t) => {
      const objects = loose();
      const scene = await world.scene(t, {
        'app/a.json': stringifyJson({ apiVersion: 'v1', kind: 'List', items: objects }),
      });
      await scene.create({ syncOptions: [...syncOptions] });
      assert.equal((await scene.sync()).phase, 'Succeeded');
      const view = await scene.until('Synced', ({ sync }) => sync === 'Synced');
      assert.equal(view.resources.length, objects.length);
      assert.deepEqual(
        view.resources.filter(({ status }) => status !== 'Synced').map(({ id }) => id),
        [],
      );
      await scene.refresh('hard');
      await scene.stays('Synced', ({ sync }) => sync === 'Synced');
    });

  test('DIFF-01 what somebody wrote into a list that Git holds whole is a difference, and a sync takes it back', async (t) => {
    const role = of('rbac.authorization.k8s.io/v1/Role', 'reader', {
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    });
    const scene = await world.scene(t, { 'app/a.yaml': role });
    await scene.create();
    await scene.sync();
    const byHand = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: ['one'] }];
    const ref = { gvk: { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'Role' }, name: 'reader' };
    await world.cluster.client.patch(
      { ...ref, namespace: scene.namespace },
      { type: 'merge', body: { rules: byHand } },
      { fieldManager: 'somebody' },
    );
    await scene.until('OutOfSync', ({ sync }) => sync === 'OutOfSync');
    await scene.sync();
    await scene.until('Synced', ({ sync }) => sync === 'Synced');
  });

  test('DIFF-01 a service account that leaves Git leaves the pods', async (t) => {
    const named = (serviceAccountName?: string): KubeObject => {
      const object = deployment('page');
      const template = at(object, 'spec', 'template') as Record<string, Record<string, unknown>>;
      const spec = { ...template['spec'], ...(serviceAccountName !== undefined && { serviceAccountName }) };
      return { ...object, spec: { ...(object['spec'] as object), template: { ...template, spec } } };
    };
    const scene = await world.scene(t, { 'app/a.yaml': named('default') });
    await scene.createAutomated();
    await scene.untilSettled();
    const revision = await scene.repository.commit({ 'app/a.yaml': named() });
    await scene.untilSettled(revision);
    const spec = at(await scene.live('Deployment/page'), 'spec', 'template', 'spec');
    assert.deepEqual([at(spec, 'serviceAccountName'), at(spec, 'serviceAccount')], [undefined, undefined]);
  });

  test('DIFF-02 a version that the cluster no longer serves is no reason to call an object Synced', async (t) => {
    const budget = (version: string): KubeObject =>
      of(`policy/${version}/PodDisruptionBudget`, 'budget', {
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'page' } } },
      });
    const scene = await world.scene(t, { 'app/a.yaml': [budget('v1'), configMap('a')] });
    await scene.create();
    await scene.sync();
    await scene.until('Synced', ({ sync }) => sync === 'Synced');
    await scene.repository.commit({ 'app/a.yaml': [budget('v1beta1'), configMap('a')] });
    await scene.until('OutOfSync', ({ sync }) => sync === 'OutOfSync');
    const view = await scene.sync();
    assert.equal(view.phase, 'Failed');
    assert.match(view.results.map(({ message }) => message).join('\n'), /policy\/v1beta1/);
  });

  test('DIFF-01 what kubectl applied before goes with Git too; what another manager applied stays where Git is silent', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('by-kubectl', { kept: '1' }), configMap('by-other', { kept: '1' })],
    });
    const { client } = world.cluster;
    const before = configMap('by-kubectl', { kept: '1', dropped: '1' }, { namespace: scene.namespace });
    const annotations = { [lastApplied]: stringifyJson(before) };
    await client.create(
      { ...before, metadata: { ...before.metadata, annotations } },
      { fieldManager: 'kubectl-client-side-apply' },
    );
    const other = configMap('by-other', { kept: 'other', theirs: '1' }, { namespace: scene.namespace });
    await client.apply(other, { fieldManager: 'other' });
    await scene.create();
    await scene.until('OutOfSync', ({ sync }) => sync === 'OutOfSync');

    assert.equal((await scene.sync()).phase, 'Succeeded');

    await scene.until('Synced', ({ sync }) => sync === 'Synced');
    assert.deepEqual(await scene.data('by-kubectl'), { kept: '1' });
    assert.deepEqual(await scene.data('by-other'), { kept: '1', theirs: '1' });
  });

  test('DIFF-02 a kind that the settings leave out is neither compared nor applied, and told', async (t) => {
    const lease = of('coordination.k8s.io/v1/Lease', 'held', { spec: { holderIdentity: 'one' } });
    const scene = await world.scene(t, { 'app/a.yaml': [lease, configMap('a')] });
    await scene.createAutomated();
    const view = await scene.untilSettled();
    assert.deepEqual(
      view.resources.map(({ id }) => id),
      ['ConfigMap/a'],
    );
    assert.deepEqual(
      view.conditions.map(({ type, message }) => `${type}: ${message}`),
      [`ExcludedResourceWarning: coordination.k8s.io/Lease ${scene.namespace}/held is excluded in the settings`],
    );
    const gvk = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' };
    assert.equal(await scene.get('Lease/held', { gvk }), undefined);
  });

  test('DIFF-02 SYNC-28 a kind that is served in another version from now on keeps its objects', async (t) => {
    const group = `${world.namespace}.example.com`;
    const both = (served: string): KubeObject => {
      const one = customResourceDefinition(`${group}/v1`, 'Gadget');
      const [first] = at(one, 'spec', 'versions') as Record<string, unknown>[];
      const versions = ['v1', 'v1beta1'].map((name) => ({
        ...first,
        name,
        served: name === served,
        storage: name === 'v1',
      }));
      return { ...one, spec: { ...(one['spec'] as object), versions } };
    };
    const gadget = (version: string, name: string): KubeObject =>
      of(`${group}/${version}/Gadget`, name, { spec: { size: 1 } });
    const scene = await world.scene(t, { 'app/a.yaml': [gadget('v1beta1', 'stays'), gadget('v1beta1', 'goes')] });
    await world.cluster.client.create(scene.adoptDefinition(both('v1beta1')));
    // In the foreground it would wait for the garbage collector of a real cluster, which looks for new versions only now and then.
    const syncOptions = ['PrunePropagationPolicy=background'];
    await scene.createAutomated({ automated: { prune: true }, syncOptions });
    await scene.untilSettled();
    const gvk = { group, version: 'v1', kind: 'Gadget' };
    const definition = { gvk: { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' } };
    await world.cluster.client.patch(
      { ...definition, name: `gadgets.${group}` },
      { type: 'merge', body: { spec: both('v1')['spec'] } },
    );
    await until('v1 is served', async () => {
      const { find } = await world.cluster.client.discovery({ fresh: true });
      return find(gvk) === undefined ? { seen: 'not yet' } : { is: true };
    });
    const before = await scene.live('Gadget/stays', { gvk });

    const revision = await scene.repository.commit({ 'app/a.yaml': [gadget('v1', 'stays')] });
    const ended = await scene.until(
      'the commit is synced',
      ({ phase, object }) =>
        phase !== 'Running' && at(object, 'status', 'operationState', 'syncResult', 'revision') === revision,
    );

    // Where the version is known from before the change, the first attempt finds out by itself.
    assert.equal(ended.phase, 'Succeeded', ended.message);
    assert.equal(at(ended.object, 'status', 'operationState', 'retryCount'), undefined);
    assert.equal((await scene.live('Gadget/stays', { gvk })).metadata.uid, before.metadata.uid);
    await until('what left Git is pruned', async () => {
      const found = await scene.get('Gadget/goes', { gvk });
      return found === undefined ? { is: true } : { seen: 'still there' };
    });
  });
}

/** What the installation's settings make of differences: they count for every application, so these run alone. */
export function differenceSettingsTests(world: World): void {
  test('DIFF-06 DIFF-08 rules of argocd-cm ignore fields of every application, and say what they cannot do', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': [configMap('a', { mine: '1', theirs: '1' }), deployment('page')],
    });
    await scene.create({ syncOptions: ['RespectIgnoreDifferences=true'] });
    await scene.sync();
    await scene.until('Synced', ({ sync }) => sync === 'Synced');
    await scene.patch('ConfigMap/a', { data: { theirs: 'by hand' } });
    await scene.until('OutOfSync', ({ sync }) => sync === 'OutOfSync');

    const cm = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm', namespace: world.namespace } };
    const prefix = 'resource.customizations.ignoreDifferences';
    const data = {
      [`${prefix}.ConfigMap`]: 'jsonPointers: [/data/theirs]',
      [`${prefix}.apps_Deployment`]: 'jqPathExpressions: [.spec.replicas]',
    };
    await world.cluster.client.apply({ ...cm, data }, { fieldManager: 'conformance' });
    t.after(() =>
      world.cluster.client.delete({ gvk: { group: '', version: 'v1', kind: 'ConfigMap' }, ...cm.metadata }),
    );

    const view = await scene.until('Synced again', ({ sync }) => sync === 'Synced');
    assert.match(
      view.conditions.map(({ message }) => message).join('\n'),
      /apps\/Deployment: jqPathExpressions are not supported yet/,
    );
    await scene.repository.commit({ 'app/a.yaml': [configMap('a', { mine: '2', theirs: '2' }), deployment('page')] });
    await scene.until('OutOfSync', ({ sync }) => sync === 'OutOfSync');
    await scene.sync();
    assert.deepEqual(await scene.data('a'), { mine: '2', theirs: 'by hand' });
  });

  // Taken away from the desired alone, what lives of the kind would look like something that left Git.
  test('DIFF-02 SYNC-28 a kind that the settings leave out from now on is not pruned', async (t) => {
    const objects = (value: string): KubeObject[] => [configMap('a', { key: value }), secret('s', { key: value })];
    const scene = await world.scene(t, { 'app/a.yaml': objects('one') });
    await scene.createAutomated({ automated: { prune: true, selfHeal: true } });
    await scene.untilSettled();
    const { uid } = (await scene.live('ConfigMap/a')).metadata;

    await world.setConfigMap(t, 'argocd-cm', { 'resource.exclusions': '- {apiGroups: [""], kinds: [ConfigMap]}' });
    await scene.untilCondition('ExcludedResourceWarning');
    await scene.untilSettled(await scene.repository.commit({ 'app/a.yaml': objects('two') }));
    await scene.untilSettled(await scene.repository.commit({ 'app/a.yaml': secret('s', { key: 'three' }) }));
    await world.controller.stop();
    world.controller.start();
    await scene.untilSettled(await scene.repository.commit({ 'app/a.yaml': secret('s', { key: 'four' }) }));

    const live = await scene.live('ConfigMap/a');
    assert.deepEqual([live.metadata.uid, live['data']], [uid, { key: 'one' }]);
  });
}
