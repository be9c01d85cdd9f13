import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { at, listAt, parseJson, parseYaml, stringAt, systemClock } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import {
  type Access,
  cliSettings,
  type ClusterUnderTest,
  openClusterUnderTest,
  type Outcome,
} from './cluster-under-test.suite.ts';

/** Every command in core mode, on a cluster without a controller: where a command waits for one, the test answers in its stead. */
export function coreModeSuite(access: () => Promise<Access>): void {
  // Hooks of a suite, not of the file: those would wait without end where no test of it is chosen to run.
  describe('core mode', () => coreMode(access));
}

function coreMode(access: () => Promise<Access>): void {
  let world: ClusterUnderTest;
  let control: string;
  let target: string;

  const cli: ClusterUnderTest['cli'] = (words, more) => world.cli(words, more);
  const ref = { gvk: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' } };
  const patchRaw = (name: string, body: unknown): Promise<unknown> =>
    world.client.patch({ ...ref, namespace: control, name }, { type: 'merge', body });
  const stored = (name: string): ReturnType<KubeClient['get']> =>
    world.client.get({ ...ref, namespace: control, name });
  const create = (name: string, ...more: string[]): Promise<Outcome> =>
    cli([
      ...['app', 'create', name, '--repo', 'https://git.example.com/r.git', '--path', 'k8s'],
      ...['--dest-server', 'https://kubernetes.default.svc', '--dest-namespace', target, ...more],
    ]);

  before(async () => {
    world = await openClusterUnderTest(await access());
    ({ control, target } = world);
  });

  after(() => world[Symbol.asyncDispose]());

  describe('the command line itself', () => {
    test('CLI-05 a misspelt verb gets the nearest one, and 1', async () => {
      assert.deepEqual(await cli(['app', 'refrsh']), {
        exit: 1,
        out: '',
        err: 'error: unknown command "app refrsh"; did you mean "app refresh"?\n',
      });
      assert.deepEqual(await cli(['ap']), {
        exit: 1,
        out: '',
        err: 'error: unknown command "ap"; did you mean "app"?\n',
      });
    });
    test('CLI-03 wrong arguments give 1, errors at run time 20, both on standard error', async () => {
      for (const words of [
        ['app', 'get'],
        ['app', 'get', 'x', '--frob'],
        ['app', 'list', '-o', 'xml'],
        ['app', 'wait', 'x', '--timeout', 'soon'],
        ['app', 'sync'],
      ]) {
        const { exit, out, err } = await cli(words);
        assert.equal(exit, 1, words.join(' '));
        assert.equal(out, '');
        assert.match(err, /^error: /);
      }
      const { exit, out, err } = await cli(['app', 'get', 'nowhere']);
      assert.deepEqual(
        [exit, out, err],
        [20, '', `error: application ${control}/nowhere not found [operation/not-found]\n`],
      );
    });
    test('CLI-03 a cluster that cannot be reached gives 20', async () => {
      await writeFile(
        join(world.folder, 'dead'),
        (await readFile(join(world.folder, 'kubeconfig'), 'utf8')).replace(/server: .*/, 'server: https://127.0.0.1:1'),
      );
      const { exit, err } = await cli([
        'app',
        'list',
        '--kubeconfig',
        join(world.folder, 'dead'),
        '--request-timeout',
        '2s',
      ]);
      assert.equal(exit, 20);
      assert.match(err, /\[kube\/(unreachable|timeout)\]/);
    });
    test('help of every command has examples, and 0', async () => {
      for (const words of [['app', 'sync'], ['app', 'create'], ['repo', 'add'], ['version'], ['completion']]) {
        const { exit, out } = await cli([...words, '--help']);
        assert.equal(exit, 0);
        assert.match(out, /\nExamples:\n {2}tiphys /);
        assert.equal((await cli(['help', ...words])).out, out);
      }
    });
    test('CLI-01 flags take their value behind "=", flags without value take true and false, and stand anywhere', async () => {
      assert.equal((await cli(['--kubeconfig', join(world.folder, 'kubeconfig'), 'app', 'list', '-o=name'])).exit, 0);
      assert.equal((await cli(['app', 'list', '--core=true', '--grpc-web', `--namespace=${control}`])).exit, 0);
    });
    test('ARGOCD_OPTS stand before the words of the command line', async () => {
      const settings = { ...cliSettings(control), options: ['-o', 'json'] };
      assert.equal((await cli(['app', 'list'], { settings })).exit, 0);
    });
    test('completion knows every command', async () => {
      for (const shell of ['bash', 'zsh', 'fish']) {
        const { exit, out } = await cli(['completion', shell]);
        assert.equal(exit, 0);
        for (const word of ['terminate-op', 'repo', 'dest-server']) assert.match(out, new RegExp(word));
      }
      assert.equal((await cli(['completion', 'tcsh'])).exit, 1);
    });
    test('CLI-06 version tells the cluster as well, and does without it', async () => {
      const { exit, out } = await cli(['version']);
      assert.equal(exit, 0);
      assert.match(out, /^tiphys: v0\.1\.0\n[^]*kubernetes: v1\.35/);
      const alone = await cli(['version'], { connect: () => Promise.reject(new Error('no way there')) });
      assert.deepEqual([alone.exit, alone.err], [0, 'kubernetes: unknown (no way there)\n']);
    });
  });

  describe('applications', () => {
    test('CLI-12 APP-10 create by flags makes the object that the manifest makes', async () => {
      const { exit, out } = await create('flags', '--sync-policy', 'automated', '--auto-prune', '--self-heal');
      assert.deepEqual([exit, out], [0, "application 'flags' created\n"]);
      const manifest = {
        project: 'default',
        source: { repoURL: 'https://git.example.com/r.git', path: 'k8s' },
        destination: { server: 'https://kubernetes.default.svc', namespace: target },
        syncPolicy: { automated: { prune: true, selfHeal: true } },
      };
      assert.deepEqual((await stored('flags'))?.['spec'], manifest);
    });
    test('CLI-12 another specification needs --upsert', async () => {
      await create('upsert');
      assert.equal((await create('upsert')).out, "application 'upsert' unchanged\n");
      const { exit, err } = await create('upsert', '--revision', 'v2');
      assert.equal(exit, 20);
      assert.match(err, /existing application spec is different.*--upsert/);
      assert.equal((await create('upsert', '--revision', 'v2', '--upsert')).out, "application 'upsert' updated\n");
      assert.equal(at((await stored('upsert'))?.['spec'], 'source', 'targetRevision'), 'v2');
    });
    test('APP-01 create takes a namespace before the name', async () => {
      const { exit, out } = await create(`${target}/qualified`);
      assert.deepEqual([exit, out], [0, "application 'qualified' created\n"]);
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
      assert.notEqual(await world.client.get({ gvk, namespace: target, name: 'qualified' }), undefined);
      assert.equal((await cli(['app', 'delete', `${target}/qualified`, '--yes'])).exit, 0);
    });
    test('APP-01 create from standard input; the alias group gives a warning', async () => {
      const input = (await cli(['app', 'get', 'flags', '-o', 'yaml'])).out
        .replace('argoproj.io', 'argocd.io')
        .replaceAll('flags', 'piped')
        .replace(/^status:[^]*/m, '');
      const { exit, out, err } = await cli(['app', 'create', '-f', '-'], { input });
      assert.deepEqual([exit, out], [0, "application 'piped' created\n"]);
      assert.match(err, /^warning: apiVersion: argocd\.io\/v1alpha1 is read as .* \(DISC-01\)\n$/);
    });
    test('APP-08 a misspelt field refuses it with path and nearest name', async () => {
      const input =
        'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: bad}\nspec: {destination: {name: a}, source: {repoURL: r, path: p}, syncPolicy: {automated: {selfheal: true}}}\n';
      const { exit, err } = await cli(['app', 'create', '-f', '-'], { input });
      assert.equal(exit, 20);
      assert.match(err, /spec\.syncPolicy\.automated\.selfheal: unknown field; did you mean "selfHeal"\?/);
    });
    test('APP-07 an ignore rule without kind, or with a pointer that is none, is refused by its path', async () => {
      const input = [
        'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: bad}',
        'spec: {destination: {name: a}, source: {repoURL: r, path: p}, ignoreDifferences: [{jsonPointers: [spec/replicas]}]}\n',
      ].join('\n');
      const { exit, err } = await cli(['app', 'create', '-f', '-'], { input });
      assert.equal(exit, 20);
      assert.match(err, /spec\.ignoreDifferences\[0\]\.kind: is required/);
      assert.match(err, /spec\.ignoreDifferences\[0\]\.jsonPointers\[0\]: "spec\/replicas" is no JSON pointer/);
    });
    test('CLI-13 set changes single fields', async () => {
      await create('set');
      assert.equal((await cli(['app', 'set', 'set', '--revision', 'v3', '--helm-set', 'a=b'])).exit, 0);
      assert.deepEqual(at((await stored('set'))?.['spec'], 'source'), {
        repoURL: 'https://git.example.com/r.git',
        path: 'k8s',
        targetRevision: 'v3',
        helm: { parameters: [{ name: 'a', value: 'b' }] },
      });
      assert.equal((await cli(['app', 'set', 'set'])).exit, 1);
      const moved = await cli(['app', 'set', 'set', '--project', 'nowhere']);
      assert.equal(moved.exit, 20);
    });
    test('CLI-10 list has one row for each, in columns; grep -v Synced leaves the header', async () => {
      await create('listed');
      await patchRaw('listed', {
        status: {
          sync: { status: 'Synced' },
          health: { status: 'Healthy' },
          conditions: [
            { type: 'SyncError', message: 'x' },
            { type: 'SyncError', message: 'y' },
          ],
        },
      });
      const { out } = await cli(['app', 'list', '-o', 'wide']);
      const [header = '', ...rows] = out.trimEnd().split('\n');
      assert.deepEqual(header.split(/\s+/), [
        'NAME',
        'CLUSTER',
        'NAMESPACE',
        'PROJECT',
        'STATUS',
        'HEALTH',
        'SYNCPOLICY',
        'CONDITIONS',
        'REPO',
        'PATH',
        'TARGET',
      ]);
      const row = rows.find((line) => line.startsWith(`${control}/listed`));
      assert.deepEqual(row?.trimEnd().split(/\s+/), [
        `${control}/listed`,
        'https://kubernetes.default.svc',
        target,
        'default',
        'Synced',
        'Healthy',
        'Manual',
        'SyncError(2)',
        'https://git.example.com/r.git',
        'k8s',
      ]);
      assert.ok(!header.includes('Synced'));
    });
    test('CLI-02 JSON and YAML are the objects', async () => {
      const json = parseJson((await cli(['app', 'get', 'listed', '-o', 'json'])).out);
      const yaml = parseYaml((await cli(['app', 'get', `${control}/listed`, '-o', 'yaml'])).out);
      assert.deepEqual(json, yaml);
      assert.equal(stringAt(json, 'kind'), 'Application');
      const list = parseJson((await cli(['app', 'list', '-o', 'json', '-r', 'https://git.example.com/r.git'])).out);
      assert.ok(listAt(list).some((item) => stringAt(item, 'metadata', 'name') === 'listed'));
      assert.match((await cli(['app', 'list', '-o', 'name'])).out, new RegExp(`^${control}/listed$`, 'm'));
    });
    test('filters: project, labels, path, cluster', async () => {
      await create('filtered', '-l', 'team=a');
      assert.equal((await cli(['app', 'list', '-o', 'name', '-l', 'team=a'])).out, `${control}/filtered\n`);
      for (const flags of [
        ['-p', 'other'],
        ['-P', 'nowhere'],
        ['-c', 'https://elsewhere'],
        ['-N', 'default'],
      ])
        assert.equal((await cli(['app', 'list', '-o', 'name', ...flags])).out, '', flags.join(' '));
    });
    test('CLI-11 get shows summary, conditions and objects', async () => {
      await create('shown');
      await patchRaw('shown', {
        status: {
          sync: { status: 'OutOfSync', revision: '1f8a67b000000000000000000000000000000000' },
          health: { status: 'Degraded', message: 'a pod crashes' },
          conditions: [
            { type: 'ComparisonError', message: 'no such path', lastTransitionTime: '2026-01-01T00:00:00Z' },
          ],
          resources: [
            {
              group: 'apps',
              version: 'v1',
              kind: 'Deployment',
              namespace: target,
              name: 'web',
              status: 'OutOfSync',
              health: { status: 'Degraded' },
            },
          ],
        },
      });
      const { out } = await cli(['app', 'get', 'shown']);
      assert.equal(
        out,
        [
          `Name:               ${control}/shown`,
          'Project:            default',
          'Server:             https://kubernetes.default.svc',
          `Namespace:          ${target}`,
          'Source:',
          '- Repo:             https://git.example.com/r.git',
          '  Target:',
          '  Path:             k8s',
          'Sync Policy:        Manual',
          'Sync Status:        OutOfSync from  (1f8a67b)',
          'Health Status:      Degraded (a pod crashes)',
          '',
          'CONDITION        MESSAGE       LAST TRANSITION',
          'ComparisonError  no such path  2026-01-01T00:00:00Z',
          '',
          `GROUP  KIND        ${'NAMESPACE'.padEnd(target.length)}  NAME  STATUS     HEALTH    HOOK  MESSAGE`,
          `apps   Deployment  ${target}  web   OutOfSync  Degraded        `,
          '',
        ].join('\n'),
      );
      assert.match(
        (await cli(['app', 'get', 'shown', '-o', 'tree'])).out,
        /└─apps\/Deployment\/web +OutOfSync +Missing/,
      );
      assert.match(
        (await cli(['app', 'resources', 'shown'])).out,
        new RegExp(`^apps +Deployment +${target} +web +No$`, 'm'),
      );
    });
    test('CLI-11 the health of objects is looked up where the status does not hold it', async () => {
      await create('assessed');
      const resource = (kind: string, name: string): object => ({
        version: 'v1',
        kind,
        namespace: target,
        name,
        status: 'Synced',
      });
      const resources = [
        resource('Service', 'web'),
        resource('Service', 'gone'),
        resource('ConfigMap', 'plain'),
        // What Git has with a generateName alone stands nowhere, and keeps no other from being looked up.
        resource('Service', ''),
      ];
      await patchRaw('assessed', { status: { resourceHealthSource: 'appTree', resources } });
      const service = { ports: [{ port: 80 }], selector: { a: 'b' } };
      await world.client.create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: target },
        spec: service,
      });
      await world.client.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'plain', namespace: target },
      });
      const { out } = await cli(['app', 'get', 'assessed']);
      assert.match(out, /Service +\S+ +web +Synced +Healthy/);
      assert.match(out, /Service +\S+ +gone +Synced +Missing/);
      assert.match(out, /ConfigMap +\S+ +plain +Synced +$/m);

      const shown: unknown = parseJson((await cli(['app', 'get', 'assessed', '-o', 'json'])).out);
      assert.deepEqual(
        listAt(shown, 'status', 'resources').map((one) => at(one, 'health', 'status')),
        ['Healthy', 'Missing', undefined, undefined],
      );
      const waiting = ['app', 'wait', 'assessed', '--sync', '--timeout', '30'];
      await patchRaw('assessed', { status: { sync: { status: 'Synced' } } });
      const [waited] = await Promise.all([cli(waiting), answer('assessed', refreshing, refreshed)]);
      assert.match(waited.out, /\n\nGROUP +KIND[^]*Service +\S+ +web +Synced +Healthy/);
    });
    test('colour is for terminals, and not when NO_COLOR is set', async () => {
      const terminal = { stdin: false, stdout: true, stderr: false };
      assert.match((await cli(['app', 'get', 'shown'], { terminal })).out, /\u001b\[31mDegraded\u001b\[39m/);
      const settings = { ...cliSettings(control), noColor: true };
      assert.doesNotMatch((await cli(['app', 'get', 'shown'], { terminal, settings })).out, /\u001b/);
    });
    test('CLI-17 history: ID, date and revision, oldest first', async () => {
      await create('deployed');
      const source = { repoURL: 'https://git.example.com/r.git', path: 'k8s', targetRevision: 'main' };
      const entry = (id: number): object => ({
        id,
        revision: `${id}`.repeat(40),
        deployedAt: `2026-01-0${id}T00:00:00Z`,
        source,
      });
      await patchRaw('deployed', { status: { history: [entry(1), entry(2)] } });
      assert.equal(
        (await cli(['app', 'history', 'deployed'])).out,
        'SOURCE  https://git.example.com/r.git\nID      DATE                  REVISION\n1       2026-01-01T00:00:00Z  main (1111111)\n2       2026-01-02T00:00:00Z  main (2222222)\n',
      );
      assert.equal((await cli(['app', 'history', 'deployed', '-o', 'id'])).out, '1\n2\n');
    });
  });

  /** Stands in for the controller where a command waits for it: answers once, as soon as the condition holds. */
  async function answer(name: string, when: (application: unknown) => boolean, body: unknown): Promise<void> {
    for (;;) {
      if (when(await stored(name))) break;
      await systemClock.sleep(20);
    }
    await patchRaw(name, body);
  }

  const finished = (phase: string, message: string): object => ({
    operation: null,
    status: {
      sync: { status: 'Synced', revision: 'abc' },
      health: { status: 'Healthy' },
      operationState: {
        phase,
        message,
        startedAt: '2026-01-01T00:00:00Z',
        finishedAt: '2026-01-01T00:00:02Z',
        operation: { sync: {} },
        syncResult: {
          revision: 'abc',
          resources: [
            {
              group: 'apps',
              version: 'v1',
              kind: 'Deployment',
              namespace: target,
              name: 'web',
              status: phase === 'Succeeded' ? 'Synced' : 'SyncFailed',
              message: 'said the server',
            },
          ],
        },
      },
    },
  });

  const asked = (application: unknown): boolean => at(application, 'operation') !== undefined;
  const refreshing = (application: unknown): boolean =>
    at(application, 'metadata', 'annotations', 'argocd.argoproj.io/refresh') !== undefined;
  const refreshed = { metadata: { annotations: { 'argocd.argoproj.io/refresh': null } } };

  describe('operations', () => {
    test('CLI-15 SYNC-39 sync waits for the end and prints what became of each object', async () => {
      await create('synced');
      const [{ exit, out }] = await Promise.all([
        cli(['app', 'sync', 'synced', '--prune']),
        answer('synced', asked, finished('Succeeded', 'all done')),
      ]);
      assert.equal(exit, 0);
      assert.match(out, /^TIMESTAMP +GROUP +KIND/m);
      assert.match(out, /\nPhase: {14}Succeeded\n/);
      assert.match(out, /\nDuration: {11}2s\n/);
      assert.match(out, new RegExp(`^apps +Deployment +${target} +web +Synced +said the server$`, 'm'));
    });
    test('how far it is stands in one line on a terminal, and nowhere else', async () => {
      const follow = async (name: string, stderr: boolean): Promise<string> => {
        await create(name);
        const terminal = { stdin: false, stdout: false, stderr };
        const [{ err }] = await Promise.all([
          cli(['app', 'sync', name], { terminal }),
          answer(name, asked, finished('Succeeded', 'all done')),
        ]);
        return err;
      };
      const live = await follow('followed', true);
      assert.match(live, /\r\u001b\[2Kfollowed: [^\n]*operation (?:Requested|Succeeded)/);
      assert.ok(live.endsWith('\r\u001b[2K'), 'the line is gone at the end');
      assert.equal(await follow('piped', false), '');
    });
    test('CLI-15 a sync that fails gives 20 and the reason', async () => {
      await create('failing');
      const [{ exit, err }] = await Promise.all([
        cli(['app', 'sync', 'failing']),
        answer('failing', asked, finished('Failed', 'one object failed')),
      ]);
      assert.deepEqual([exit, err], [20, 'error: the operation of failing ended as Failed: one object failed\n']);
    });
    test('SYNC-43 --resource limits the operation to objects of the application', async () => {
      await create('selective');
      await patchRaw('selective', {
        status: {
          resources: [
            { group: 'apps', kind: 'Deployment', namespace: target, name: 'web' },
            { kind: 'Service', namespace: target, name: 'web' },
          ],
        },
      });
      assert.equal(
        (
          await cli([
            'app',
            'sync',
            'selective',
            '--async',
            '--resource',
            'apps:Deployment:web',
            '--dry-run',
            '--force',
          ])
        ).exit,
        0,
      );
      assert.deepEqual((await stored('selective'))?.['operation'], {
        sync: {
          dryRun: true,
          syncStrategy: { hook: { force: true } },
          resources: [{ group: 'apps', kind: 'Deployment', namespace: target, name: 'web' }],
        },
        initiatedBy: { username: 'alice' },
      });
      assert.equal((await cli(['app', 'sync', 'selective', '--resource', 'Deployment'])).exit, 1);
    });
    test('SYNC-44 a second sync is refused, terminate-op ends the first', async () => {
      await create('busy');
      await cli(['app', 'sync', 'busy', '--async']);
      const { exit, err } = await cli(['app', 'sync', 'busy', '--async']);
      assert.equal(exit, 20);
      assert.match(err, /already in progress/);
      assert.equal((await cli(['app', 'terminate-op', 'busy'])).exit, 0);
      assert.equal((await cli(['app', 'terminate-op', 'busy'])).exit, 20);
    });
    test('CLI-16 wait refreshes first and returns 0 when the condition holds (DISC-60)', async () => {
      await create('waited');
      await patchRaw('waited', { status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } } });
      const [{ exit, out }] = await Promise.all([
        cli(['app', 'wait', 'waited', '--health', '--timeout', '30']),
        answer('waited', refreshing, refreshed),
      ]);
      assert.equal(exit, 0);
      assert.match(out, /Health Status: {6}Healthy/);
    });
    test('CLI-16 a timeout of 0 is no limit, and one that no timer holds ends nothing early', async () => {
      await create('patient');
      await patchRaw('patient', { status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } } });
      for (const timeout of ['0', '0s', '9999999']) {
        const [{ exit, err }] = await Promise.all([
          cli(['app', 'wait', 'patient', '--health', '--timeout', timeout]),
          answer('patient', refreshing, refreshed),
        ]);
        assert.deepEqual({ exit, err }, { exit: 0, err: '' }, timeout);
      }
    });
    test('CLI-16 wait gives 20 and the state reached when time is up', async () => {
      await create('slow');
      await patchRaw('slow', { status: { health: { status: 'Progressing' } } });
      const [{ exit, err }] = await Promise.all([
        cli(['app', 'wait', 'slow', '--health', '--timeout', '1']),
        answer('slow', refreshing, refreshed),
      ]);
      assert.equal(exit, 20);
      assert.match(err, /timed out after 1 s waiting for application slow: health Healthy \(now Progressing\)/);
    });
    test('CLI-20 refresh is another name for get --refresh, and says so (DISC-56)', async () => {
      await create('refreshed');
      const [{ exit, err, out }] = await Promise.all([
        cli(['app', 'refresh', 'refreshed']),
        answer('refreshed', refreshing, { ...refreshed, status: { sync: { status: 'Synced' } } }),
      ]);
      assert.equal(exit, 0);
      assert.match(err, /"app get --refresh" \(DISC-56\)/);
      assert.match(out, /Sync Status: {8}Synced/);
    });
    test('CLI-19 delete asks, and does nothing without a yes', async () => {
      await create('doomed');
      const no = await cli(['app', 'delete', 'doomed'], { input: 'n\n' });
      assert.equal(no.exit, 20);
      assert.match(no.err, /Are you sure you want to delete 'doomed' and all its objects\? \[y\/n\]/);
      assert.equal((await cli(['app', 'delete', 'doomed'])).exit, 20);
      assert.ok(await stored('doomed'));
      assert.equal((await cli(['app', 'delete', 'doomed', '--cascade=false'], { input: 'y\n' })).exit, 0);
      assert.equal(await stored('doomed'), undefined);
    });
    test('CLI-19 delete with cascade leaves the finalizer for the controller', async () => {
      await create('cascaded');
      assert.equal((await cli(['app', 'delete', 'cascaded', '-y', '-p', 'background'])).exit, 0);
      assert.deepEqual((await stored('cascaded'))?.metadata.finalizers, [
        'resources-finalizer.argocd.argoproj.io/background',
      ]);
    });
    test('Ctrl-C ends a wait with 130', async () => {
      await create('interrupted');
      const controller = new AbortController();
      const waiting = cli(['app', 'wait', 'interrupted'], { signal: controller.signal });
      setTimeout(() => controller.abort(new Error('interrupted')), 300);
      assert.equal((await waiting).exit, 130);
    });
  });

  describe('repositories', () => {
    test('CLI-24 CLI-25 CLI-26 CLI-27 add stores credentials, list shows none', async () => {
      await writeFile(join(world.folder, 'key'), 'PRIVATE KEY');
      const https = await cli([
        'repo',
        'add',
        'https://git.example.com/r.git',
        '--username',
        'u',
        '--password',
        'hidden',
      ]);
      assert.deepEqual([https.exit, https.out], [0, "Repository 'https://git.example.com/r.git' added\n"]);
      assert.equal(
        (await cli(['repo', 'add', 'git@git.example.com:r2.git', '--ssh-private-key-path', join(world.folder, 'key')]))
          .exit,
        0,
      );
      assert.equal((await cli(['repo', 'add', 'https://charts.example.com', '--type', 'helm'])).exit, 1);
      assert.equal(
        (await cli(['repo', 'add', 'https://charts.example.com', '--type', 'helm', '--name', 'charts'])).exit,
        0,
      );
      for (const format of ['wide', 'json', 'yaml']) {
        const { out } = await cli(['repo', 'list', '-o', format]);
        assert.match(out, /charts/);
        assert.doesNotMatch(out, /hidden|PRIVATE/);
      }
    });
  });
}
