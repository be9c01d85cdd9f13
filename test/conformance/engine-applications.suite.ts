import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, stringAt } from '@tiphys/api';
import { configMap, deployment, job } from './harness/manifests.ts';
import { chartFiles, serveCharts } from './harness/chart-repository.ts';
import { finalizer } from './harness/scene.ts';
import { until } from './harness/until.ts';
import type { World } from './harness/world.ts';

/** The Application itself: its checks, its deletion, and what it shares with others. */
export function applicationTests(world: World): void {
  test('APP-02 an unknown project is InvalidSpecError; none is `default`, with a warning', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated({ spec: { project: 'no-such-project' } });
    await scene.untilCondition('InvalidSpecError', /no-such-project/);
    assert.equal(await scene.get('ConfigMap/a'), undefined);

    const other = `${scene.name}-none`;
    await scene.createAutomated({ name: other, spec: { project: undefined } });
    await scene.until(
      'a warning about the project',
      (view) => view.conditions.some(({ message }) => /project/.test(message) && message.includes('default')),
      { name: other },
    );
    await scene.untilSettled('', { name: other });
  });

  const invalid: readonly (readonly [string, object, RegExp])[] = [
    [
      'APP-04 both server and name',
      { destination: { server: 'https://kubernetes.default.svc', name: 'in-cluster', namespace: 'x' } },
      /server.*name|name.*server/,
    ],
    [
      'APP-04 a server that nobody registered',
      { destination: { server: 'https://nowhere.example.com', namespace: 'x' } },
      /https:\/\/nowhere\.example\.com/,
    ],
    ['APP-04 a name that nobody registered', { destination: { name: 'nowhere', namespace: 'x' } }, /nowhere/],
    [
      'APP-03 both path and chart',
      { source: { repoURL: 'https://git.example.com/x', path: 'a', chart: 'b' } },
      /path[\s\S]*chart|chart[\s\S]*path/,
    ],
    [
      'APP-07 an ignore rule whose pointer is none',
      { ignoreDifferences: [{ group: 'apps', kind: 'Deployment', jsonPointers: ['spec/replicas'] }] },
      /ignoreDifferences\[0\]\.jsonPointers\[0\].*JSON pointer/,
    ],
    ['APP-03 neither path nor chart', { source: { repoURL: 'https://git.example.com/x' } }, /path/],
  ];
  for (const [title, spec, message] of invalid) {
    test(`${title} is an error that says so`, async (t) => {
      const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
      await scene.createAutomated({ spec });
      const view = await scene.until('an error', ({ conditions }) =>
        conditions.some((c) => c.type.endsWith('Error') && message.test(c.message)),
      );
      assert.ok(
        view.conditions.some(({ type }) => type === 'InvalidSpecError'),
        view.conditions.map(({ type }) => type).join(),
      );
      assert.equal(await scene.get('ConfigMap/a'), undefined);
    });
  }

  test('REC-03 a hard refresh looks at a chart repository anew: a version that was replaced, and one that is new', async (t) => {
    const scene = await world.scene(t);
    await using charts = await serveCharts('served', ['1.0.0'], chartFiles('one'));
    const source = { repoURL: charts.url, chart: 'served', path: undefined, targetRevision: '1.x' };
    await scene.createAutomated({ source, automated: { selfHeal: true } });
    await scene.untilSettled('1.0.0');
    const value = async (): Promise<unknown> => at(await scene.get('ConfigMap/served'), 'data', 'value');
    assert.equal(await value(), 'one');

    await charts.publish(['1.0.0'], chartFiles('two'));
    await scene.refresh('hard');
    await scene.untilObject(
      'ConfigMap/served',
      'is of the new content',
      (object) => at(object, 'data', 'value') === 'two',
    );

    await charts.publish(['1.1.0'], chartFiles('three'));
    await scene.refresh('hard');
    await scene.untilSettled('1.1.0');
    assert.equal(await value(), 'three');
  });

  test('ANN-05 a refresh that is asked for while another is answered is answered too', async (t) => {
    const scene = await world.scene(t);
    await using charts = await serveCharts('served', ['1.0.0'], chartFiles('one'));
    const source = { repoURL: charts.url, chart: 'served', path: undefined, targetRevision: '1.x' };
    await scene.create({ source });
    await scene.until('compared', ({ sync }) => sync === 'OutOfSync');
    const answers = (): number =>
      world.controller.log.filter(
        ({ message, fields }) =>
          message === 'application compared' &&
          fields['because'] === 'refresh-requested' &&
          String(fields['application']).endsWith(`/${scene.name}`),
      ).length;
    const ask = (at: string): Promise<void> =>
      scene.patchApplication({
        metadata: {
          annotations: { 'argocd.argoproj.io/refresh': 'hard', 'argocd.argoproj.io/refresh-timestamp': at },
        },
      });
    charts.slowDown(1000);
    await ask('2030-01-01T00:00:00Z');
    await until('the first is being answered', () =>
      Promise.resolve(charts.peak() > 0 ? { is: true } : { seen: 'no request yet' }),
    );
    await ask('2030-01-01T00:00:01Z');
    await scene.until(
      'both are answered',
      ({ object }) => at(object, 'metadata', 'annotations', 'argocd.argoproj.io/refresh') === undefined,
    );
    await world.controller.untilLogged('two answers', () => answers() === 2);
  });

  test('APP-05 a list of destinations in place of the one is refused by the API server', async (t) => {
    const scene = await world.scene(t);
    const destinations = [{ server: 'https://kubernetes.default.svc', namespace: 'x' }];
    await assert.rejects(
      scene.createAutomated({ spec: { destination: undefined, destinations } }),
      /spec\.destination/,
    );
  });

  test('APP-03 an application that comes to have several sources, and one again, keeps nothing of the other form', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a'), 'more/b.yaml': configMap('b') });
    await scene.createAutomated({ automated: { prune: true } });
    await scene.untilSettled();
    const formOf = (object: unknown): unknown[] => [
      at(object, 'status', 'sourceType'),
      at(object, 'status', 'sourceTypes'),
      typeof at(object, 'status', 'sync', 'revision'),
      listAt(object, 'status', 'sync', 'revisions').length,
    ];
    const sources = ['app', 'more'].map((path) => ({ repoURL: scene.repository.url, path }));
    await scene.patchApplication({ spec: { source: null, sources } });
    const several = await scene.until('both are synced', ({ resources }) => resources.length === 2);
    assert.deepEqual(formOf(several.object), [undefined, ['Directory', 'Directory'], 'undefined', 2]);
    await scene.patchApplication({ spec: { source: sources[0], sources: null } });
    const one = await scene.until(
      'one is synced',
      ({ resources, sync }) => resources.length === 1 && sync === 'Synced',
    );
    assert.deepEqual(formOf(one.object), ['Directory', undefined, 'string', 0]);
  });

  test('APP-04 a destination by name', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated({ spec: { destination: { name: 'in-cluster', namespace: scene.namespace } } });
    await scene.untilSettled();
    await scene.live('ConfigMap/a');
  });

  test('APP-06 automated with enabled: false does not sync by itself', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated({ automated: { enabled: false, selfHeal: true } });
    await scene.until('OutOfSync', (view) => view.sync === 'OutOfSync');
    await scene.stays('not synced', (view) => view.phase === '');
    await scene.patchApplication({ spec: { syncPolicy: { automated: { enabled: true } } } });
    await scene.untilSettled();
  });

  test('APP-08 an unknown field is told with its path and the nearest name, and is kept', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('a') });
    await scene.createAutomated({ automated: { selfheal: true } });
    const view = await scene.until('warned', ({ conditions }) =>
      conditions.some(({ message }) => /spec\.syncPolicy\.automated\.selfheal[\s\S]*selfHeal/.test(message)),
    );
    assert.equal(at(view.object, 'spec', 'syncPolicy', 'automated', 'selfheal'), true);
    await scene.patchApplication({ status: { futureStatus: { seen: 1 } } });
    await scene.untilSettled();
    await scene.repository.commit({ 'app/a.yaml': configMap('a', { key: 'two' }) });
    await scene.until('synced again', ({ object }) => listAt(object, 'status', 'history').length === 2);
    const { object } = await scene.untilSettled();
    assert.equal(at(object, 'spec', 'syncPolicy', 'automated', 'selfheal'), true);
    assert.deepEqual(at(object, 'status', 'futureStatus'), { seen: 1 });
  });

  test('APP-09 one application per environment, each from its overlay into its own namespace', async (t) => {
    const environments = { dev: 1, staging: 2, prod: 3 };
    const overlays = Object.entries(environments).map(
      ([name, count]) =>
        [
          `k8s/overlays/${name}/kustomization.yaml`,
          { resources: ['../../base'], replicas: [{ name: 'page', count }] },
        ] as const,
    );
    const scene = await world.scene(t, {
      'k8s/base/kustomization.yaml': { resources: ['page.yaml'] },
      'k8s/base/page.yaml': deployment('page'),
      ...Object.fromEntries(overlays),
    });
    for (const [environment, count] of Object.entries(environments)) {
      const name = `${scene.name}-${environment}`;
      const namespace = scene.adoptNamespace(name);
      const destination = { namespace };
      await scene.createAutomated({
        name,
        source: { path: `k8s/overlays/${environment}` },
        destination,
        syncOptions: ['CreateNamespace=true'],
      });
      await scene.untilSettled('', { name });
      assert.equal(at(await scene.live('Deployment/page', { namespace }), 'spec', 'replicas'), count);
    }
  });

  test('APP-11 ANN-08 with the finalizer what is tracked goes first, in reverse wave order, and nothing else', async (t) => {
    const waves = [0, 1, 2].map((wave) => configMap(`wave${wave}`, {}, { wave }));
    const keep = configMap('kept', {}, { options: 'Delete=false' });
    const scene = await world.scene(t, {
      'app/a.yaml': [...waves, keep, deployment('page'), job('hook', { hook: 'PostSync' })],
    });
    await scene.createObject(configMap('foreign'));
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    const record = await scene.record('ConfigMap', 'Deployment');

    await scene.deleteApplication();
    await scene.untilGone();

    const waved = record.deleted.filter((id) => id.includes('wave'));
    assert.deepEqual(waved, ['ConfigMap/wave2', 'ConfigMap/wave1', 'ConfigMap/wave0']);
    assert.equal(await scene.get('Deployment/page'), undefined);
    await scene.live('ConfigMap/foreign');
    await scene.live('ConfigMap/kept');
  });

  test('APP-11 without the finalizer everything stays', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': [configMap('a'), deployment('page')] });
    await scene.createAutomated();
    await scene.untilSettled();
    await scene.deleteApplication();
    await scene.untilGone();
    await scene.stays('the objects', () => true).catch(() => undefined);
    await scene.live('ConfigMap/a');
    await scene.live('Deployment/page');
  });

  test('APP-11 an object that does not go keeps the application, until it does', async (t) => {
    const held = { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } };
    const scene = await world.scene(t, { 'app/a.yaml': [held, configMap('a')] });
    await scene.createAutomated({ cascade: true });
    await scene.untilSettled();
    await scene.deleteApplication();
    await scene.untilAbsent('ConfigMap/a');
    await scene.stays('the application is there', (view) =>
      (view.object.metadata.finalizers ?? []).includes(finalizer),
    );
    await scene.patch('ConfigMap/held', { metadata: { finalizers: null } });
    await scene.untilGone();
  });

  test('APP-19 an object of two applications is a SharedResourceWarning on both', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': configMap('shared'),
      'other/a.yaml': configMap('shared', { key: 'two' }),
    });
    const other = `${scene.name}-other`;
    await scene.createAutomated();
    await scene.untilSettled();
    await scene.createAutomated({ name: other, source: { path: 'other' } });
    const told = (one: string, another: string): RegExp =>
      new RegExp(`^ConfigMap/shared is part of applications ${world.namespace}/${one} and ${another}$`);
    await Promise.all([
      scene.untilCondition('SharedResourceWarning', told(scene.name, other)),
      scene.untilCondition('SharedResourceWarning', told(other, scene.name), { name: other }),
    ]);
    const { conditions } = await scene.view();
    assert.equal(conditions.length, 1, 'it is told once');
  });

  test('APP-19 two applications that no sync has set at odds yet are told as well, for as long as it is so', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('shared'), 'other/a.yaml': configMap('shared') });
    const other = `${scene.name}-other`;
    await scene.createAutomated();
    const settled = await scene.untilSettled();
    await scene.create({ name: other, source: { path: 'other' } });
    await Promise.all([
      scene.untilCondition('SharedResourceWarning', new RegExp(`${other}$`)),
      scene.untilCondition('SharedResourceWarning', new RegExp(`${scene.name}$`), { name: other }),
    ]);
    await scene.deleteApplication(other);
    await scene.until('alone again', ({ conditions }) => conditions.length === 0);
    assert.equal((await scene.view()).startedAt, settled.startedAt, 'nothing was synced');
  });

  test('APP-19 an object with the mark of an application that nobody knows is told too', async (t) => {
    const scene = await world.scene(t, { 'app/a.yaml': configMap('taken') });
    const mark = { 'argocd.argoproj.io/tracking-id': `somebody:/ConfigMap:${scene.namespace}/taken` };
    await scene.createObject(configMap('taken', { key: 'one' }, { annotations: mark }));
    await scene.create();
    await scene.untilCondition('SharedResourceWarning', /^ConfigMap\/taken is part of applications \S+ and somebody$/);
  });

  test('APP-19 with FailOnSharedResource the second application fails instead', async (t) => {
    const scene = await world.scene(t, {
      'app/a.yaml': configMap('shared'),
      'other/a.yaml': configMap('shared', { key: 'two' }),
    });
    const other = `${scene.name}-other`;
    await scene.createAutomated();
    await scene.untilSettled();
    await scene.create({ name: other, source: { path: 'other' }, syncOptions: ['FailOnSharedResource=true'] });
    const view = await scene.sync({}, { name: other });
    assert.equal(view.phase, 'Failed');
    assert.deepEqual(await scene.data('shared'), { key: 'one' });
    assert.match(
      stringAt(view.object, 'status', 'operationState', 'message') ?? '',
      /^Shared resource found: ConfigMap\/shared is part of applications \S+ and \S+$/,
    );
  });
}
