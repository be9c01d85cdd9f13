import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { at, listAt, parseJson, parseYaml, stringifyJson } from '@tiphys/api';
import { type Access, type ClusterUnderTest, openClusterUnderTest, type Outcome } from './cluster-under-test.suite.ts';

const tools = join(import.meta.dirname, '../../../.cache/tools');
const kubectl = join(tools, 'kubectl');
const absent = existsSync(kubectl) ? false : 'kubectl is not there: run npm start once';

const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: ${value}\n`;

/** The commands that render and compare, with the real tools and a Git repository of their own. */
export function compareSuite(access: () => Promise<Access>): void {
  describe('comparing from the command line', { skip: absent }, () => {
    let world: ClusterUnderTest;
    let repository: string;
    let target: string;
    let folder: string;

    const git = (...args: readonly string[]): string =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
        encoding: 'utf8',
      }).trim();

    async function commit(file: string, text: string): Promise<string> {
      await writeFile(join(repository, file), text);
      git('add', '--all');
      git('commit', '--quiet', '-m', 'change');
      return git('rev-parse', 'HEAD');
    }

    const cli = (...words: readonly string[]): Promise<Outcome> =>
      world.cli(words, {
        renderTools: () => ({
          helm: join(tools, 'helm'),
          kustomize: { command: kubectl, args: ['kustomize'] },
          versions: 'test',
        }),
        git: { path: process.env['PATH'] ?? '', environment: {} },
      });

    before(async () => {
      world = await openClusterUnderTest(await access());
      ({ target, folder } = world);
      repository = join(folder, 'repository');
      // A temporary folder of our own, so that what is left in it is ours.
      process.env['TMPDIR'] = join(folder, 'tmp');
      await mkdir(join(folder, 'tmp'));
      await mkdir(join(repository, 'k8s'), { recursive: true });
      git('init', '--quiet', '--initial-branch=main');
      await commit('k8s/a.yaml', configMap('a', 'one'));
      const flags = ['--dest-server', 'https://kubernetes.default.svc', '--dest-namespace', target];
      const created = await cli('app', 'create', 'shop', '--repo', `file://${repository}`, '--path', 'k8s', ...flags);
      assert.equal(created.exit, 0, created.err);
    });
    after(async () => {
      Reflect.deleteProperty(process.env, 'TMPDIR');
      await world[Symbol.asyncDispose]();
    });

    /** Puts into the cluster what the application's manifests say, as a sync would. */
    async function applyAll(): Promise<void> {
      const { out } = await cli('app', 'manifests', 'shop');
      const flags = ['--server-side', '--force-conflicts', '--field-manager', 'argocd-controller'];
      const applying = spawn(kubectl, ['--kubeconfig', join(folder, 'kubeconfig'), 'apply', ...flags, '-f', '-'], {
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      applying.stdin.end(out);
      assert.deepEqual(await once(applying, 'close'), [0, null]);
    }

    test('CLI-14 DIFF-09 what is not there yet is a difference, and 1', async () => {
      const { exit, out, err } = await cli('app', 'diff', 'shop');
      assert.deepEqual([exit, err], [1, '']);
      assert.match(out, new RegExp(`^===== /ConfigMap ${target}/a ======$`, 'm'));
      assert.match(out, /^\+ {2}a: one$/m);
    });
    test('CLI-14 the codes of a difference can be chosen', async () => {
      assert.equal((await cli('app', 'diff', 'shop', '--exit-code=false')).exit, 0);
      assert.equal((await cli('app', 'diff', 'shop', '--diff-exit-code', '7')).exit, 7);
    });
    test('manifests are what Git says, with namespace and tracking', async () => {
      const { exit, out } = await cli('app', 'manifests', 'shop');
      assert.equal(exit, 0);
      assert.match(out, new RegExp(`namespace: ${target}`));
      assert.match(out, new RegExp(`tracking-id: shop:/ConfigMap:${target}/a`));
    });
    test('DIFF-09 no difference gives 0 and no text', async () => {
      await applyAll();
      assert.deepEqual(await cli('app', 'diff', 'shop'), { exit: 0, out: '', err: '' });
    });
    test('DIFF-09 a commit shows as a difference; --revision looks at another one', async () => {
      const before = git('rev-parse', 'HEAD');
      const sha = await commit('k8s/a.yaml', configMap('a', 'two'));
      const { exit, out } = await cli('app', 'diff', 'shop');
      assert.equal(exit, 1);
      assert.match(out, /^-\s+a: one$/m);
      assert.match(out, /^\+\s+a: two$/m);
      assert.equal((await cli('app', 'diff', 'shop', '--revision', before)).exit, 0);
      assert.equal((await cli('app', 'diff', 'shop', '--revision', sha.slice(0, 8))).exit, 1);
    });
    test('DIFF-10 --local compares files that are not committed', async () => {
      await writeFile(join(repository, 'k8s/a.yaml'), configMap('a', 'three'));
      const { exit, out, err } = await cli('app', 'diff', 'shop', '--local', join(repository, 'k8s'));
      assert.deepEqual([exit, err], [1, '']);
      assert.match(out, /^\+\s+a: three$/m);
      const loose = join(folder, 'loose');
      await mkdir(loose);
      await writeFile(join(loose, 'a.yaml'), configMap('a', 'one'));
      assert.deepEqual(await cli('app', 'diff', 'shop', '--local', loose, '--server-side'), {
        exit: 0,
        out: '',
        err: '',
      });
      git('checkout', '--quiet', '.');
    });
    const operation = async (): Promise<unknown> => {
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
      const asked = at(await world.client.get({ gvk, namespace: world.control, name: 'shop' }), 'operation', 'sync');
      assert.equal((await cli('app', 'terminate-op', 'shop')).exit, 0);
      return asked;
    };
    test('SYNC-43 sync --label limits the operation to objects that carry it', async () => {
      await commit(
        'k8s/labelled.yaml',
        configMap('labelled', 'x').replace('\ndata:', '\n  labels: {tier: web}\ndata:'),
      );
      assert.equal((await cli('app', 'sync', 'shop', '--label', 'tier=web', '--async')).exit, 0);
      assert.deepEqual(at(await operation(), 'resources'), [
        { group: '', kind: 'ConfigMap', name: 'labelled', namespace: target },
      ]);
      const none = await cli('app', 'sync', 'shop', '--label', 'tier=none', '--async');
      assert.equal(none.exit, 20);
      assert.match(none.err, /no object of the application has the label tier=none/);
    });
    test('SYNC-47 sync --preview-changes shows the difference and asks', async () => {
      const refused = await cli('app', 'sync', 'shop', '--preview-changes', '--async');
      assert.equal(refused.exit, 20);
      assert.match(refused.out, /===== \/ConfigMap \S+\/labelled ======/);
      assert.match(refused.err, /Do you want to continue the sync process\? \[y\/n\]/);
      assert.equal((await cli('app', 'sync', 'shop', '--preview-changes', '--assumeYes', '--async')).exit, 0);
      assert.notEqual(await operation(), undefined);
    });
    test('APP-16 the difference of a parent says how much goes with each child that a sync would prune', async () => {
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
      const cascading = ['resources-finalizer.argocd.argoproj.io'];
      const row = (name: string) => ({ version: 'v1', kind: 'ConfigMap', namespace: target, name, status: 'Synced' });
      const rowOf = (name: string) => ({ ...gvk, namespace: world.control, name, status: 'OutOfSync' });
      const make = async (name: string, finalizers: readonly string[], resources: readonly object[]): Promise<void> => {
        const id = `parent:argoproj.io/Application:${world.control}/${name}`;
        await world.client.create({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Application',
          metadata: {
            name,
            namespace: world.control,
            finalizers: [...finalizers],
            annotations: { 'argocd.argoproj.io/tracking-id': id },
          },
          spec: { source: { repoURL: `file://${repository}`, path: 'k8s' }, destination: { name: 'in-cluster' } },
          status: { resources },
        });
      };
      await make('doomed', cascading, [row('a'), row('b'), rowOf('deeper')]);
      await make('deeper', cascading, [row('c')]);
      await make('free', [], [row('d')]);
      const metadata = { annotations: { 'argocd.argoproj.io/tracking-id': 'another' } };
      await world.client.patch(
        { gvk, namespace: world.control, name: 'deeper' },
        { type: 'merge', body: { metadata } },
      );
      await mkdir(join(repository, 'parent'));
      await commit('parent/a.yaml', configMap('of-parent', 'x'));
      const flags = ['--dest-server', 'https://kubernetes.default.svc', '--dest-namespace', target];
      await cli('app', 'create', 'parent', '--repo', `file://${repository}`, '--path', 'parent', ...flags);
      const body = { status: { resources: [rowOf('doomed'), rowOf('free')] } };
      await world.client.patch({ gvk, namespace: world.control, name: 'parent' }, { type: 'merge', body });

      const warning =
        `warning: to prune argoproj.io/Application ${world.control}/doomed deletes 4 more objects: it has a finalizer, ` +
        'and what it manages goes with it\n';
      const seen = await cli('app', 'diff', 'parent');
      assert.deepEqual([seen.exit, seen.err], [1, warning]);
      assert.match(seen.out, /^===== argoproj\.io\/Application \S+\/doomed ======$/m);
      assert.match(seen.out, /^===== argoproj\.io\/Application \S+\/free ======$/m);
      const asked = await cli('app', 'sync', 'parent', '--prune', '--preview-changes', '--async');
      assert.equal(asked.exit, 20);
      assert.ok(asked.err.startsWith(warning), 'before it asks');
      for (const name of ['doomed', 'deeper', 'free', 'parent']) {
        const ref = { gvk, namespace: world.control, name };
        await world.client.patch(ref, { type: 'merge', body: { metadata: { finalizers: null } } });
        await world.client.delete(ref);
      }
    });
    test('SYNC-39 sync --local brings the manifests of a folder along', async () => {
      const folderOf = join(folder, 'local');
      await mkdir(folderOf);
      await writeFile(join(folderOf, 'a.yaml'), configMap('a', 'local'));
      assert.equal((await cli('app', 'sync', 'shop', '--local', folderOf, '--async')).exit, 0);
      const [manifest] = listAt(await operation(), 'manifests');
      assert.equal(at(parseJson(String(manifest)), 'data', 'a'), 'local');
      await writeFile(
        join(folderOf, 'secret.yaml'),
        'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n',
      );
      const warned = await cli('app', 'sync', 'shop', '--local', folderOf, '--async');
      assert.match(warned.err, /^warning: the folder holds 1 Secret; /);
      await operation();
      await cli('app', 'set', 'shop', '--sync-policy', 'automated');
      const refused = await cli('app', 'sync', 'shop', '--local', folderOf, '--async');
      assert.equal(refused.exit, 20);
      assert.match(refused.err, /local manifests while automated sync is on/);
      await cli('app', 'set', 'shop', '--sync-policy', 'none');
      await writeFile(join(folderOf, 'large.yaml'), configMap('large', 'x'.repeat(1_100_000)));
      assert.match(
        (await cli('app', 'sync', 'shop', '--local', folderOf, '--async')).err,
        /an operation takes 1024 KiB/,
      );
    });
    test('get-resource shows live objects, by field, masked', async () => {
      const resource = { version: 'v1', kind: 'ConfigMap', namespace: target, name: 'a', status: 'Synced' };
      const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
      const body = { status: { resources: [resource] } };
      await world.client.patch({ gvk, namespace: world.control, name: 'shop' }, { type: 'merge', body });
      const read = (...flags: readonly string[]): Promise<Outcome> =>
        cli('app', 'get-resource', 'shop', '--kind', 'ConfigMap', ...flags);
      assert.match(
        (await read('--filter-fields', 'data,metadata.name')).out,
        /^RESOURCE NAME +FIELD +VALUE\na +data\.a +one\na +metadata\.name +a\n$/,
      );
      const object = parseYaml((await read('--resource-name', 'a', '-o', 'yaml')).out);
      assert.deepEqual([at(object, 'kind'), at(object, 'metadata', 'managedFields')], ['ConfigMap', undefined]);
      assert.equal((await read('--resource-name', 'nothing')).exit, 20);
      assert.equal((await cli('app', 'get-resource', 'shop')).exit, 1);
    });
    test('DIFF-11 values of Secrets are masked', async () => {
      await commit(
        'k8s/secret.yaml',
        'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hunter22\nstringDatas: {a: hunter22}\ndata: [hunter22]\n',
      );
      for (const words of [
        ['app', 'diff', 'shop'],
        ['app', 'manifests', 'shop'],
      ]) {
        const { out } = await cli(...words);
        assert.match(out, /kind: Secret/);
        assert.doesNotMatch(out, /hunter22|aHVudGVyMjI/);
      }
    });
    test('DIFF-11 of a changed Secret the difference shows which keys change, and no form of it a value', async () => {
      const gvk = { group: '', version: 'v1', kind: 'Secret' };
      const base64 = (text: string): string => Buffer.from(text).toString('base64');
      const secrets = ['hunter22', 'same-as-ever', 'hunter33'];
      const [before = '', same = '', after = ''] = secrets;
      const data = { password: base64(before), other: base64(same) };
      const annotations = {
        'argocd.argoproj.io/tracking-id': `shop:/Secret:${target}/s`,
        'kubectl.kubernetes.io/last-applied-configuration': stringifyJson({ apiVersion: 'v1', kind: 'Secret', data }),
      };
      const metadata = { name: 's', namespace: target, annotations };
      await world.client.create({ apiVersion: 'v1', kind: 'Secret', metadata, data });
      await commit(
        'k8s/secret.yaml',
        `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: ${after}\n  other: ${same}\n`,
      );
      const { out: difference } = await cli('app', 'diff', 'shop');
      const lines = difference.slice(difference.indexOf('/Secret ')).split('\n');
      const changed = lines.filter((line) => /^[-+] /.test(line)).map((line) => line.trim());
      assert.equal(changed.filter((line) => line.includes('password')).length, 2, difference);
      assert.deepEqual(
        changed.filter((line) => line.includes('other')),
        [],
        difference,
      );

      const resource = { version: 'v1', kind: 'Secret', namespace: target, name: 's', status: 'OutOfSync' };
      const shop = { gvk: { ...gvk, group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' }, name: 'shop' };
      const body = { status: { resources: [resource] } };
      await world.client.patch({ ...shop, namespace: world.control }, { type: 'merge', body });
      const { out: live } = await cli('app', 'get-resource', 'shop', '--kind', 'Secret', '-o', 'yaml');
      assert.match(live, /last-applied-configuration/);
      for (const value of [...secrets, ...secrets.map(base64)])
        assert.ok(!`${difference}${live}`.includes(value), `${value} is shown`);
      await world.client.delete({ gvk, namespace: target, name: 's' });
    });
    test('DIFF-09 an error gives 2, also one of the command line', async () => {
      for (const words of [
        ['nowhere'],
        ['shop', '--frob'],
        ['shop', '--revision', 'no-such-branch'],
        ['shop', '--local', join(folder, 'gone')],
        [],
      ]) {
        const { exit, out, err } = await cli('app', 'diff', ...words);
        assert.deepEqual([exit, out], [2, ''], words.join(' '));
        assert.match(err, /^error: /);
      }
    });
    test('REPO-18 a repository is shown with the state of its connection', async () => {
      const url = `file://${repository}`;
      assert.equal((await cli('repo', 'add', url)).exit, 0);
      assert.match((await cli('repo', 'list')).out, new RegExp(`^git +${url} .* Successful`, 'm'));
      await rename(repository, `${repository}-moved`);
      const { exit, out } = await cli('repo', 'get', url);
      await rename(`${repository}-moved`, repository);
      assert.equal(exit, 0);
      assert.match(out, / Failed {2,}\S/);
      assert.equal((await cli('repo', 'get', 'https://nowhere.example.com')).exit, 20);
    });
    test('CLI-24 a repository that cannot be reached is not stored', async () => {
      const { exit, err } = await cli('repo', 'add', `file://${join(folder, 'nothing')}`);
      assert.equal(exit, 20);
      assert.match(err, /\[git\//);
      assert.doesNotMatch((await cli('repo', 'list', '-o', 'url')).out, /nothing/);
    });
    test('nothing is left behind', async () => {
      assert.deepEqual(await readdir(tmpdir()), []);
    });
  });
}
