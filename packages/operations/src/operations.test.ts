import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  type Application,
  at,
  type CodedError,
  customResourceDefinition,
  ownKinds,
  silentLogger,
  systemClock,
} from '@tiphys/api';
import { connect, loadKubeconfig } from '@tiphys/kube';
import { type KubeSim, startKubeSim } from '@tiphys/kube-sim';
import {
  addRepository,
  createApplication,
  deleteApplication,
  findApplication,
  listRepositories,
  type OperationPorts,
  patchApplication,
  readApplication,
  refreshApplication,
  requestRefresh,
  requestSync,
  setApplication,
  terminateOperation,
  waitForApplication,
} from './index.ts';

const actor = { username: 'alice' };
let sim: KubeSim;
let ports: OperationPorts;

const manifest = (name: string, spec: object = {}): Record<string, unknown> => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name, namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: 'https://git.example.com/r.git', path: 'k8s' },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
    ...spec,
  },
});

const code = (wanted: string, message: RegExp) => (error: unknown) => {
  assert.equal((error as CodedError).code, wanted);
  assert.match((error as CodedError).message, message);
  return true;
};

const ref = { gvk: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' }, namespace: 'argocd' };

const patchRaw = (name: string, body: unknown): Promise<unknown> =>
  ports.kube.patch({ ...ref, name }, { type: 'merge', body });

const running = { operationState: { phase: 'Running', startedAt: '2026-01-01T00:00:00Z', operation: { sync: {} } } };

describe('operations', () => {
  before(async () => {
    sim = await startKubeSim({
      controllers: 'off',
      objects: [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
        ...ownKinds.map(customResourceDefinition),
      ],
    });
    const kube = connect(
      loadKubeconfig(sim.kubeconfig(), { baseDir: '/' }),
      {},
      { log: silentLogger, clock: systemClock },
    );
    ports = { kube, namespace: 'argocd', clock: systemClock };
  });

  after(async () => {
    await ports.kube.close();
    await sim.stop();
  });

  describe('creating', () => {
    test('APP-10 stores what was handed in, unknown-field checks passed, and nothing else', async () => {
      const { outcome, application } = await createApplication(
        actor,
        { application: manifest('created'), upsert: false, check: 'all' },
        ports,
      );
      assert.equal(outcome, 'created');
      assert.deepEqual(application.spec, manifest('created')['spec']);
      assert.deepEqual(await readApplication({ name: 'created' }, ports), application);
    });
    test('the same again changes nothing; another specification needs upsert', async () => {
      const request = { application: manifest('twice'), upsert: false, check: 'all' } as const;
      await createApplication(actor, request, ports);
      assert.equal((await createApplication(actor, request, ports)).outcome, 'unchanged');
      const other = {
        ...request,
        application: manifest('twice', { project: 'default', info: [{ name: 'a', value: 'b' }] }),
      };
      await assert.rejects(
        createApplication(actor, other, ports),
        code('operation/conflict', /existing application spec is different, use upsert flag to force update/),
      );
      const { outcome, application } = await createApplication(actor, { ...other, upsert: true }, ports);
      assert.equal(outcome, 'updated');
      assert.deepEqual(application.spec.info, [{ name: 'a', value: 'b' }]);
    });
    test('APP-08 a misspelt field refuses it, with path and nearest name', async () => {
      const application = manifest('misspelt', { syncPolicy: { automated: { selfheal: true } } });
      await assert.rejects(
        createApplication(actor, { application, upsert: false, check: 'all' }, ports),
        code('api/invalid-object', /spec\.syncPolicy\.automated\.selfheal: unknown field; did you mean "selfHeal"\?/),
      );
      assert.equal(await findApplication({ name: 'misspelt' }, ports), undefined);
    });
    test('APP-02 a project that does not exist refuses it', async () => {
      const application = manifest('homeless', { project: 'nowhere' });
      await assert.rejects(
        createApplication(actor, { application, upsert: false, check: 'all' }, ports),
        code('api/invalid-object', /spec\.project: no project "nowhere"/),
      );
    });
  });

  describe('an application that is there', () => {
    let count = 0;
    let name = '';
    const create = (spec: object = {}): Promise<unknown> =>
      createApplication(actor, { application: manifest(name, spec), upsert: false, check: 'all' }, ports);
    const stored = (): Promise<Application> => readApplication({ name }, ports);
    beforeEach(() => {
      name = `app-${count++}`;
    });

    test('set writes only what differs, and keeps unknown fields', async () => {
      await create();
      await patchRaw(name, { spec: { future: { a: 1 } } });
      await setApplication(
        actor,
        { name, check: 'all', change: (spec) => ({ ...spec, destination: { name: 'in-cluster' } }) },
        ports,
      );
      const { spec } = await stored();
      assert.deepEqual(spec.destination, { name: 'in-cluster' });
      assert.deepEqual(at(spec, 'future'), { a: 1 });
    });
    test('set refuses what would be invalid, and changes nothing', async () => {
      await create();
      const { metadata } = await stored();
      const change = (spec: Application['spec']): Application['spec'] => ({
        ...spec,
        destination: { server: 'a', name: 'b' },
      });
      await assert.rejects(
        setApplication(actor, { name, check: 'all', change }, ports),
        code('api/invalid-object', /spec\.destination/),
      );
      assert.equal((await stored()).metadata.resourceVersion, metadata.resourceVersion);
    });
    test('a lost race is run again on what is stored then', async () => {
      await create();
      const seen: (string | undefined)[] = [];
      await Promise.all(
        ['a', 'b', 'c', 'd'].map((value) =>
          setApplication(
            actor,
            {
              name,
              check: 'all',
              change: (spec) => {
                seen.push(value);
                return { ...spec, info: [...(spec.info ?? []), { name: value, value }] };
              },
            },
            ports,
          ),
        ),
      );
      const { spec } = await stored();
      assert.deepEqual((spec.info ?? []).map((info) => info.name).sort(), ['a', 'b', 'c', 'd']);
    });

    test('SYNC-39 a sync is written as an operation with who asked', async () => {
      await create({ syncPolicy: { syncOptions: ['CreateNamespace=true'] } });
      await requestSync(actor, { name, operation: { sync: { prune: true } } }, ports);
      assert.deepEqual((await stored()).operation, {
        sync: { prune: true, syncOptions: ['CreateNamespace=true'] },
        initiatedBy: { username: 'alice' },
      });
    });
    test('SYNC-44 a second sync is refused while one is asked for or runs', async () => {
      await create();
      await requestSync(actor, { name, operation: { sync: {} } }, ports);
      const again = (): Promise<unknown> => requestSync(actor, { name, operation: { sync: {} } }, ports);
      await assert.rejects(again(), code('operation/refused', /already in progress/));
      await patchRaw(name, { operation: null, status: running });
      await assert.rejects(again(), code('operation/refused', /already in progress/));
    });
    test('SYNC-44 of many at once, one is taken', async () => {
      await create();
      const asked = Array.from({ length: 8 }, () => requestSync(actor, { name, operation: { sync: {} } }, ports));
      const outcomes = await Promise.allSettled(asked);
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    });
    test('a sync to another revision is refused under automation, and to the configured one is not', async () => {
      await create({ syncPolicy: { automated: {} } });
      const to = (revision: string): Promise<unknown> =>
        requestSync(actor, { name, operation: { sync: { revision } } }, ports);
      await assert.rejects(to('v1'), code('operation/refused', /cannot sync .* to v1/));
      await to('HEAD');
    });
    test('a sync of an application that is being deleted is refused', async () => {
      await create();
      await patchRaw(name, { metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] } });
      await deleteApplication(actor, { name, cascade: 'as-is' }, ports);
      await assert.rejects(
        requestSync(actor, { name, operation: { sync: {} } }, ports),
        code('operation/refused', /being deleted/),
      );
    });

    test('terminate marks the running operation, takes back one that has not begun, and refuses without one', async () => {
      await create();
      await assert.rejects(terminateOperation(actor, { name }, ports), code('operation/refused', /no operation/));
      await requestSync(actor, { name, operation: { sync: {} } }, ports);
      assert.equal((await terminateOperation(actor, { name }, ports)).operation, undefined);
      await patchRaw(name, { status: running });
      assert.equal((await terminateOperation(actor, { name }, ports)).status?.operationState?.phase, 'Terminating');
      assert.equal((await terminateOperation(actor, { name }, ports)).status?.operationState?.phase, 'Terminating');
    });

    const foreground = 'resources-finalizer.argocd.argoproj.io';
    const cascades = [
      ['foreground', [], [foreground]],
      ['background', [foreground, 'other.example.com/x'], ['other.example.com/x', `${foreground}/background`]],
      ['none', [foreground, 'other.example.com/x'], ['other.example.com/x']],
      ['as-is', [`${foreground}/background`], [`${foreground}/background`]],
    ] as const;
    for (const [cascade, had, expected] of cascades)
      test(`APP-11 delete with cascade ${cascade} leaves the finalizers ${expected.join(' ')}`, async () => {
        await create();
        await patchRaw(name, { metadata: { finalizers: had } });
        await deleteApplication(actor, { name, cascade }, ports);
        const { metadata } = await stored();
        assert.ok(metadata.deletionTimestamp);
        assert.deepEqual(metadata.finalizers, expected);
        await patchRaw(name, { metadata: { finalizers: [] } });
      });
    test('APP-11 delete without cascade and finalizer lets it go at once', async () => {
      await create();
      await deleteApplication(actor, { name, cascade: 'none' }, ports);
      assert.equal(await findApplication({ name }, ports), undefined);
    });

    test('REC-03 a refresh is asked for by annotation, and waits until it is taken away', async () => {
      await create();
      const refreshed = refreshApplication(actor, { name, kind: 'normal', timeoutMs: 10_000 }, ports);
      await waitForApplication(
        {
          name,
          timeoutMs: 10_000,
          waitingFor: 'the annotation',
          until: (found) => found?.metadata.annotations?.['argocd.argoproj.io/refresh'] === 'normal',
        },
        ports,
      );
      await patchRaw(name, {
        metadata: { annotations: { 'argocd.argoproj.io/refresh': null } },
        status: { sync: { status: 'Synced' } },
      });
      assert.equal((await refreshed).status?.sync?.status, 'Synced');
    });
    test('a hard refresh that waits is not made a normal one', async () => {
      await create();
      await requestRefresh(actor, { name, kind: 'hard' }, ports);
      const { metadata } = await requestRefresh(actor, { name, kind: 'normal' }, ports);
      assert.equal(metadata.annotations?.['argocd.argoproj.io/refresh'], 'hard');
    });
    test('waiting ends with what is missing when it takes too long', async () => {
      await create();
      const request = { name, timeoutMs: 100, waitingFor: 'health', until: () => false };
      await assert.rejects(
        waitForApplication(request, ports),
        code('operation/timeout', /timed out after 0 s waiting for .*: health/),
      );
    });
    test('a patch that would make it invalid is refused, a good one written', async () => {
      await create();
      const patch = (body: unknown): Promise<Application> =>
        patchApplication(actor, { name, type: 'merge', body }, ports);
      await assert.rejects(
        patch({ spec: { destination: { name: 'x' } } }),
        code('api/invalid-object', /spec\.destination/),
      );
      assert.equal((await patch({ spec: { source: { targetRevision: 'v2' } } })).spec.source?.targetRevision, 'v2');
    });
  });

  describe('repositories', () => {
    const url = 'https://git.example.com/shop.git';
    test('REPO-16 are Secrets with the documented label and keys', async () => {
      const repository = { url, username: 'a', password: 'hidden' };
      assert.equal(await addRepository(actor, { repository, upsert: false }, ports), 'created');
      assert.equal(await addRepository(actor, { repository, upsert: false }, ports), 'unchanged');
      const listed = await listRepositories(actor, {}, ports);
      assert.deepEqual(listed, [{ type: 'git', ...repository }]);
    });
    test('REPO-16 another spelling of the URL is the same repository', async () => {
      const repository = { url: 'https://Git.example.com/shop', username: 'b', password: 'c' };
      await assert.rejects(
        addRepository(actor, { repository, upsert: false }, ports),
        code('operation/conflict', /--upsert/),
      );
      assert.equal(await addRepository(actor, { repository, upsert: true }, ports), 'updated');
      assert.equal((await listRepositories(actor, {}, ports)).length, 1);
    });
    test('REPO-16 a chart repository needs a name', async () => {
      const repository = { url: 'https://charts.example.com', type: 'helm' };
      await assert.rejects(
        addRepository(actor, { repository, upsert: false }, ports),
        code('cli/usage', /needs a name/),
      );
    });
    test('CLI-24 one that cannot be reached is not stored', async () => {
      const test = (): Promise<void> => Promise.reject(new Error('unreachable'));
      const repository = { url: 'https://gone.example.com/r.git' };
      await assert.rejects(addRepository(actor, { repository, upsert: false, test }, ports), /unreachable/);
      assert.equal((await listRepositories(actor, {}, ports)).length, 1);
    });
  });
});
