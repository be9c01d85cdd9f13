import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, listAt, parseJson, parseYaml, stringAt } from '@tiphys/api';
import { cliSettings } from '../cluster-under-test.suite.ts';
import { type Corner, refreshed, refreshing } from './corner.suite.ts';

/** What is written of an application and shown of it. */
export function applicationTests(corner: Corner): void {
  const { answer, cli, create, stored, patchRaw } = corner;

  describe('applications', () => {
    test('CLI-12 APP-10 create by flags makes the object that the manifest makes', async () => {
      const { exit, out } = await create('flags', '--sync-policy', 'automated', '--auto-prune', '--self-heal');
      assert.deepEqual([exit, out], [0, "application 'flags' created\n"]);
      const manifest = {
        project: 'default',
        source: { repoURL: 'https://git.example.com/r.git', path: 'k8s' },
        destination: { server: 'https://kubernetes.default.svc', namespace: corner.target },
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
      const { exit, out } = await create(`${corner.target}/qualified`);
      assert.deepEqual([exit, out], [0, "application 'qualified' created\n"]);
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
      assert.notEqual(await corner.world.client.get({ gvk, namespace: corner.target, name: 'qualified' }), undefined);
      assert.equal((await cli(['app', 'delete', `${corner.target}/qualified`, '--yes'])).exit, 0);
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
      const row = rows.find((line) => line.startsWith(`${corner.control}/listed`));
      assert.deepEqual(row?.trimEnd().split(/\s+/), [
        `${corner.control}/listed`,
        'https://kubernetes.default.svc',
        corner.target,
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
      const yaml = parseYaml((await cli(['app', 'get', `${corner.control}/listed`, '-o', 'yaml'])).out);
      assert.deepEqual(json, yaml);
      assert.equal(stringAt(json, 'kind'), 'Application');
      const list = parseJson((await cli(['app', 'list', '-o', 'json', '-r', 'https://git.example.com/r.git'])).out);
      assert.ok(listAt(list).some((item) => stringAt(item, 'metadata', 'name') === 'listed'));
      assert.match((await cli(['app', 'list', '-o', 'name'])).out, new RegExp(`^${corner.control}/listed$`, 'm'));
    });
    test('filters: project, labels, path, cluster', async () => {
      await create('filtered', '-l', 'team=a');
      assert.equal((await cli(['app', 'list', '-o', 'name', '-l', 'team=a'])).out, `${corner.control}/filtered\n`);
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
              namespace: corner.target,
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
          `Name:               ${corner.control}/shown`,
          'Project:            default',
          'Server:             https://kubernetes.default.svc',
          `Namespace:          ${corner.target}`,
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
          `GROUP  KIND        ${'NAMESPACE'.padEnd(corner.target.length)}  NAME  STATUS     HEALTH    HOOK  MESSAGE`,
          `apps   Deployment  ${corner.target}  web   OutOfSync  Degraded        `,
          '',
        ].join('\n'),
      );
      assert.match(
        (await cli(['app', 'get', 'shown', '-o', 'tree'])).out,
        /└─apps\/Deployment\/web +OutOfSync +Missing/,
      );
      assert.match(
        (await cli(['app', 'resources', 'shown'])).out,
        new RegExp(`^apps +Deployment +${corner.target} +web +No$`, 'm'),
      );
    });
    test('CLI-11 the health of objects is looked up where the status does not hold it', async () => {
      await create('assessed');
      const resource = (kind: string, name: string): object => ({
        version: 'v1',
        kind,
        namespace: corner.target,
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
      await corner.world.client.create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: corner.target },
        spec: service,
      });
      await corner.world.client.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'plain', namespace: corner.target },
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
      const settings = { ...cliSettings(corner.control), noColor: true };
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
}
