import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { at, isRecord, parseYaml, stringAt, stringifyYaml, systemClock } from '@tiphys/api';
import {
  type Access,
  cliSettings,
  type ClusterUnderTest,
  openClusterUnderTest,
  type Outcome,
} from './cluster-under-test.suite.ts';

const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };

/** The commands that change an application, on a cluster without a controller. `rights`: whether the cluster checks them. */
export function changeSuite(access: () => Promise<Access>, rights: 'checked' | 'unchecked'): void {
  describe('changing applications from the command line', () => {
    let world: ClusterUnderTest;
    let server: Server | undefined;

    const cli: ClusterUnderTest['cli'] = (words, more) => world.cli(words, more);
    const stored = async (name: string): Promise<unknown> => world.client.get({ gvk, namespace: world.control, name });
    const spec = async (name: string): Promise<unknown> => at(await stored(name), 'spec');
    const patchRaw = (name: string, body: unknown): Promise<unknown> =>
      world.client.patch({ gvk, namespace: world.control, name }, { type: 'merge', body });
    const create = (name: string, ...more: readonly string[]): Promise<Outcome> =>
      cli([
        ...['app', 'create', name, '--repo', 'https://git.example.com/r.git', '--path', 'k8s'],
        ...['--dest-server', 'https://kubernetes.default.svc', '--dest-namespace', world.target, ...more],
      ]);

    before(async () => {
      world = await openClusterUnderTest(await access());
    });
    after(async () => {
      server?.close();
      await world[Symbol.asyncDispose]();
    });

    test('APP-01 create reads a manifest from a URL', async () => {
      const manifest = stringifyYaml({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: 'fetched' },
        spec: {
          source: { repoURL: 'https://git.example.com/r.git', path: 'k8s' },
          destination: { name: 'in-cluster' },
        },
      });
      const own = createServer((request, response) => {
        if (request.url === '/app.yaml') response.end(manifest);
        else if (request.url === '/large') response.end('# '.padEnd(17 * 1024 * 1024, 'x'));
        else response.writeHead(404).end();
      });
      server = own;
      await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
      const address = own.address();
      const base = `http://127.0.0.1:${isRecord(address) ? String(address['port']) : ''}`;
      const made = await cli(['app', 'create', '-f', `${base}/app.yaml`]);
      assert.deepEqual([made.exit, made.out], [0, "application 'fetched' created\n"]);
      const missing = await cli(['app', 'create', '-f', `${base}/gone.yaml`]);
      assert.equal(missing.exit, 1);
      assert.match(missing.err, /gone\.yaml: the server answers 404/);
      assert.match((await cli(['app', 'create', '-f', `${base}/large`])).err, /larger than 16 MiB/);
      assert.match((await cli(['app', 'create', '-f', 'http://127.0.0.1:1/x'])).err, /cannot read http/);
    });

    test('whoever changes an application is told of in its events', async () => {
      await create('told');
      await cli(['app', 'set', 'told', '--path', 'other']);
      await cli(['app', 'set', 'told', '--path', 'other']);
      await cli(['app', 'patch', 'told', '--type', 'merge', '--patch', '{"metadata":{"labels":{"a":"b"}}}']);
      await cli(['app', 'delete', 'told', '--yes']);
      const events = await world.client.resourceFor({ group: '', version: 'v1', kind: 'Event' });
      const { items } = await world.client.list(events, {
        namespace: world.control,
        fieldSelector: 'involvedObject.name=told',
      });
      const seen = items.map((event) => `${stringAt(event, 'reason') ?? ''} ${stringAt(event, 'message') ?? ''}`);
      assert.deepEqual(seen.map((text) => text.replace(/ \S+ /, ' ')).sort(), [
        'ResourceCreated created application',
        'ResourceDeleted deleted application',
        'ResourceUpdated patched application',
        'ResourceUpdated updated application spec',
      ]);
    });

    describe('HIST-04 rollback', () => {
      const entry = (id: number): object => ({
        id,
        revision: String(id).repeat(40),
        deployedAt: `2026-01-0${id}T00:00:00Z`,
        source: { repoURL: 'https://git.example.com/r.git', path: `k8s-${id}`, targetRevision: 'main' },
      });
      const finished = {
        operation: null,
        status: {
          operationState: {
            phase: 'Succeeded',
            startedAt: '2026-01-01T00:00:00Z',
            finishedAt: '2026-01-01T00:00:02Z',
            operation: { sync: {} },
          },
        },
      };
      /** Runs a rollback, and answers it as a controller would; gives what was asked for. */
      async function rolledBack(
        name: string,
        ...flags: readonly string[]
      ): Promise<{ asked: unknown; outcome: Outcome }> {
        const running = cli(['app', 'rollback', name, ...flags]);
        for (;;) {
          const asked = at(await stored(name), 'operation');
          if (asked === undefined) {
            await systemClock.sleep(20);
            continue;
          }
          await patchRaw(name, finished);
          return { asked, outcome: await running };
        }
      }

      test('HIST-04 asks for what an entry says, without hooks, and says that Git is elsewhere', async () => {
        await create('back');
        await patchRaw('back', { status: { history: [entry(1), entry(2), entry(3)] } });
        const { asked, outcome } = await rolledBack('back', '1', '--prune');
        assert.deepEqual(asked, {
          sync: {
            revision: '1'.repeat(40),
            source: at(entry(1), 'source'),
            prune: true,
            syncStrategy: { apply: {} },
          },
          initiatedBy: { username: 'alice' },
        });
        assert.equal(outcome.exit, 0);
        assert.match(outcome.err, /entry 1 \(1111111\).*revert the commit/);
      });
      test('CLI-18 without ID it is the entry before the last', async () => {
        await create('previous');
        await patchRaw('previous', { status: { history: [entry(1), entry(2), entry(3)] } });
        const { asked } = await rolledBack('previous');
        assert.equal(at(asked, 'sync', 'revision'), '2'.repeat(40));
      });
      test('HIST-06 an unknown ID gets the valid ones', async () => {
        const { exit, err } = await cli(['app', 'rollback', 'back', '7']);
        assert.equal(exit, 20);
        assert.match(err, /no entry 7 in its history; there is 1, 2, 3/);
        assert.equal((await cli(['app', 'rollback', 'back', 'x'])).exit, 1);
      });
      test('HIST-05 with automated sync it is refused with the ways out; --hold holds it', async () => {
        await create('automated', '--sync-policy', 'automated', '--self-heal');
        await patchRaw('automated', { status: { history: [entry(1), entry(2)] } });
        const { exit, err } = await cli(['app', 'rollback', 'automated', '1']);
        assert.equal(exit, 20);
        assert.match(err, /Revert the commit in Git, or hold automated sync: --hold/);
        assert.equal(at(await stored('automated'), 'operation'), undefined);
        const { outcome } = await rolledBack('automated', '1', '--hold');
        assert.equal(outcome.exit, 0);
        assert.match(outcome.err, /automated sync is held; switch it on again with: app set automated/);
        assert.deepEqual(at(await spec('automated'), 'syncPolicy', 'automated'), { enabled: false, selfHeal: true });
        await cli(['app', 'set', 'automated', '--sync-policy', 'automated']);
        assert.deepEqual(at(await spec('automated'), 'syncPolicy', 'automated'), { selfHeal: true });
      });
    });

    test('APP-08 fields that nobody knows are kept by every command that writes', async () => {
      const futureTool = { depth: 1 };
      await create('future', '-p', 'a=1', '--sync-policy', 'none');
      await patchRaw('future', {
        spec: {
          source: { futureTool, helm: { futureFlag: true } },
          destination: { futurePlace: 'moon' },
          syncPolicy: { retry: { futureJitter: '2s' }, automated: { enabled: false, futureWindow: ['x'] } },
          futureList: [{ a: 1 }, { b: [null, 'c'] }],
        },
        status: { futureStatus: { seen: 1 } },
      });
      const kept = async (): Promise<unknown> => {
        const live = await stored('future');
        return [
          at(live, 'spec', 'source', 'futureTool'),
          at(live, 'spec', 'source', 'helm', 'futureFlag'),
          at(live, 'spec', 'destination', 'futurePlace'),
          at(live, 'spec', 'syncPolicy', 'retry', 'futureJitter'),
          at(live, 'spec', 'syncPolicy', 'automated', 'futureWindow'),
          at(live, 'spec', 'futureList'),
          at(live, 'status', 'futureStatus'),
        ];
      };
      const before = await kept();
      assert.deepEqual(before, [futureTool, true, 'moon', '2s', ['x'], [{ a: 1 }, { b: [null, 'c'] }], { seen: 1 }]);
      for (const words of [
        ['set', 'future', '--revision', 'v2', '--dest-namespace', world.target, '-p', 'b=2'],
        ['set', 'future', '--sync-retry-limit', '7', '--self-heal', '--auto-prune', '--sync-option', 'PruneLast=true'],
        ['unset', 'future', '-p', 'a'],
        ['sync', 'future', '--async'],
        ['terminate-op', 'future'],
        ['get', 'future', '--refresh', '--timeout', '1'],
        ['add-source', 'future', '--repo', 'https://git.example.com/values.git', '--ref', 'values'],
        ['remove-source', 'future', '--source-position', '2'],
      ]) {
        await cli(['app', ...words]);
        if (words[0] === 'add-source' || words[0] === 'remove-source')
          assert.deepEqual(at(await spec('future'), 'sources', 0, 'futureTool'), futureTool, words.join(' '));
        else assert.deepEqual(await kept(), before, words.join(' '));
      }
      assert.equal(at(await spec('future'), 'sources', 0, 'targetRevision'), 'v2');
      const { err } = await cli(['app', 'set', 'future', '--source-position', '1', '--path', 'x']);
      assert.match(err, /spec\.futureList/);
    });
    test('unset takes single settings away, and blocks that become empty', async () => {
      const plain = { repoURL: 'https://git.example.com/r.git', path: 'k8s' };
      await create('unset', '-p', 'a=1', '-p', 'b=2', '--values', 'v.yaml', '--helm-pass-credentials');
      const unset = (...flags: readonly string[]): Promise<Outcome> => cli(['app', 'unset', ...flags]);
      assert.equal((await unset('unset', '-p', 'a', '--values', 'v.yaml', '--pass-credentials')).exit, 0);
      assert.deepEqual(at(await spec('unset'), 'source'), {
        ...plain,
        helm: { parameters: [{ name: 'b', value: '2' }] },
      });
      await unset('unset', '-p', 'b');
      assert.deepEqual(at(await spec('unset'), 'source'), plain);
      await create(
        'kustomized',
        '--kustomize-image',
        'shop=reg/shop:1',
        '--nameprefix',
        'p-',
        '--kustomize-replica',
        'a=2',
      );
      assert.equal((await unset('kustomized', '--kustomize-image', 'shop', '--nameprefix')).exit, 0);
      assert.deepEqual(at(await spec('kustomized'), 'source', 'kustomize'), { replicas: [{ name: 'a', count: 2 }] });
      assert.equal((await unset('unset')).exit, 1);
    });
    test('add-source and remove-source', async () => {
      await create('several');
      const add = ['app', 'add-source', 'several', '--repo', 'https://git.example.com/values.git', '--path', 'v'];
      assert.equal((await cli([...add, '--ref', 'values', '--source-name', 'second'])).exit, 0);
      assert.deepEqual(at(await spec('several'), 'sources'), [
        { repoURL: 'https://git.example.com/r.git', path: 'k8s' },
        { repoURL: 'https://git.example.com/values.git', path: 'v', ref: 'values', name: 'second' },
      ]);
      assert.equal(at(await spec('several'), 'source'), undefined);
      assert.equal((await cli(['app', 'unset', 'several', '--ref', '--source-name', 'second'])).exit, 0);
      assert.equal(at(await spec('several'), 'sources', 1, 'ref'), undefined);
      assert.equal((await cli(['app', 'set', 'several', '--path', 'x'])).exit, 1);
      assert.equal((await cli(['app', 'set', 'several', '--path', 'x', '--source-position', '2'])).exit, 0);
      assert.equal((await cli(['app', 'remove-source', 'several', '--source-position', '3'])).exit, 1);
      assert.equal((await cli(['app', 'remove-source', 'several', '--source-name', 'second'])).exit, 0);
      assert.equal((await cli(['app', 'remove-source', 'several', '--source-position', '1'])).exit, 20);
    });
    test('edit passes the specification to the editor, and refuses a wrong one', async () => {
      await create('edited');
      const editor = join(world.folder, 'editor.sh');
      const editing = (script: string): Promise<Outcome> =>
        writeFile(editor, `#!/bin/sh\n${script}\n`)
          .then(() => chmod(editor, 0o700))
          .then(() => cli(['app', 'edit', 'edited'], { settings: { ...cliSettings(world.control), editor } }));
      assert.equal((await editing(`sed -i 's/path: k8s/path: other/' "$1"`)).out, "application 'edited' edited\n");
      assert.equal(at(await spec('edited'), 'source', 'path'), 'other');
      const wrong = await editing(`sed -i 's/path: other/pathh: other/' "$1"`);
      assert.equal(wrong.exit, 20);
      assert.match(wrong.err, /nothing was changed[^]*spec\.source\.pathh: unknown field; did you mean "path"/);
      assert.match((await editing('true')).err, /nothing was changed/);
      assert.equal((await editing('exit 3')).exit, 20);
    });
    test('confirm-deletion says when', async () => {
      await create('confirmed');
      assert.equal((await cli(['app', 'confirm-deletion', 'confirmed'])).exit, 0);
      const annotations = at(await stored('confirmed'), 'metadata', 'annotations');
      assert.match(String(at(annotations, 'argocd.argoproj.io/deletion-approved')), /^20\d\d-/);
    });
    test('get shows parameters, of one source or of all', async () => {
      await create('parameters', '-p', 'a=1', '--helm-set-string', 'b=x y');
      const { out } = await cli(['app', 'get', 'parameters', '--show-params', '--show-operation']);
      assert.match(out, /^NAME +VALUE\na +1\nb +x y$/m);
      assert.match(out, /^Operation: +none$/m);
      assert.equal((await cli(['app', 'get', 'parameters', '--show-params', '--source-position', '2'])).exit, 1);
      assert.equal((await cli(['app', 'get', 'parameters', '--show-params', '--source-name', 'x'])).exit, 1);
    });
    test('CLI-19 delete of several asks about each, and takes "a" for all', async () => {
      for (const name of ['d-1', 'd-2', 'd-3']) await create(name, '-l', 'batch=d');
      const some = await cli(['app', 'delete', '-l', 'batch=d', '--cascade=false'], { input: 'y\nn\ny\n' });
      assert.equal(some.exit, 0);
      assert.deepEqual(some.out.trimEnd().split('\n').sort(), [
        "application 'd-1' deleted",
        "application 'd-3' deleted",
      ]);
      await create('d-4', '-l', 'batch=d');
      assert.equal(
        (await cli(['app', 'delete', '-l', 'batch=d', '--cascade=false', '--wait'], { input: 'a\n' })).exit,
        0,
      );
      assert.equal((await cli(['app', 'list', '-l', 'batch=d', '-o', 'name'])).out, '');
      assert.equal((await cli(['app', 'delete', 'unset', '--cascade=false', '-p', 'background', '-y'])).exit, 1);
    });
    test('the flags of the kubeconfig choose cluster, user and identity', async () => {
      const file = parseYaml(stringifyYaml(parseYaml(await readKubeconfig(world))));
      const list = (field: string): readonly unknown[] => {
        const found = at(file, field);
        return Array.isArray(found) ? found : [];
      };
      const [cluster] = list('clusters');
      const path = join(world.folder, 'two');
      const wrong = { name: 'wrong', cluster: { server: 'https://127.0.0.1:1' } };
      const context = { name: 'c', context: { cluster: 'wrong', user: 'nobody' } };
      const users = [...list('users'), { name: 'nobody', user: { token: 'nonsense' } }];
      const more = { clusters: [...list('clusters'), wrong], users, contexts: [context], 'current-context': 'c' };
      await writeFile(path, stringifyYaml({ ...(isRecord(file) && file), ...more }));
      const names = ['--cluster', String(at(cluster, 'name')), '--user', String(at(list('users')[0], 'name'))];
      const base = ['app', 'get', 'parameters', '-o', 'name', '--kubeconfig', path];
      assert.equal((await cli([...base, '--request-timeout', '2s'])).exit, 20);
      assert.equal((await cli([...base, ...names])).exit, 0);
      assert.match((await cli([...base, '--cluster', 'unknown'])).err, /no cluster "unknown"/);
      if (rights === 'checked') {
        const denied = await cli([...base, ...names, '--as', 'somebody']);
        assert.equal(denied.exit, 20);
        assert.match(denied.err, /kube\/forbidden/);
      }
      assert.equal((await cli([...base, ...names, '--as-group', 'g'])).exit, 1);
      assert.equal((await cli([...base, ...names, '--token', 'nonsense'])).exit, 20);
      // A command's own flag of the same name is the command's.
      assert.equal((await cli(['app', 'list', '--cluster', 'https://elsewhere', '-o', 'name'])).out, '');
    });
    test('flags of the other program that mean nothing here are taken', async () => {
      const ignored = [
        '--grpc-web',
        '--server',
        'argocd.example.com',
        '-H',
        'a: b',
        '--http-retry-max',
        '3',
        '--plaintext',
      ];
      assert.equal((await cli(['app', 'get', 'parameters', '-o', 'name', ...ignored])).exit, 0);
    });
  });
}

async function readKubeconfig({ folder }: ClusterUnderTest): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(join(folder, 'kubeconfig'), 'utf8');
}
