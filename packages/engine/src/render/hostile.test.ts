import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isCoded, messageOf } from '@tiphys/api';
import { runTool } from './tool.ts';
import { rendererDefaults } from './renderer-settings.ts';
import {
  asText,
  buildOptions as withBuildOptions,
  configMap,
  helm,
  kubectl,
  type Origin,
  Workbench,
  withoutTools,
} from './workbench.suite.ts';

const canary = 'CANARY-7f3d9a';
const bench = new Workbench();
const { signal } = bench;
const secrets = join(bench.root, 'secrets');
mkdirSync(join(secrets, 'kubernetes.io/serviceaccount'), { recursive: true });
const token = join(secrets, 'kubernetes.io/serviceaccount/token');
writeFileSync(token, `${canary}-token`);
const outside = join(bench.root, 'canary.txt');
writeFileSync(outside, `${canary}-file\n`);
writeFileSync(join(bench.root, 'canary.yaml'), `canary: ${canary}-values\n`);
mkdirSync(join(bench.root, 'chart-of-others/templates'), { recursive: true });
writeFileSync(join(bench.root, 'chart-of-others/Chart.yaml'), 'apiVersion: v2\nname: s\nversion: 0.1.0\n');
writeFileSync(
  join(bench.root, 'chart-of-others/templates/x.yaml'),
  `kind: A\napiVersion: v1\nmetadata: {name: ${canary}}\n`,
);
process.env['TIPHYS_TEST_CANARY'] = `${canary}-environment`;
const renderer = await bench.renderer({ hiddenPaths: [secrets] });
/** What a host has that allows no root of its own for a tool. */
const withHostInSight = await bench.renderer({ hiddenPaths: [secrets], path: bench.pathWith('unshare', 'mount') });
after(() => bench.close());

const chart = (template: string, more: Record<string, string> = {}): Record<string, string> => ({
  'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
  'app/templates/x.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  text: ${template}\n`,
  ...more,
});
const kustomization = (text: string, more: Record<string, string> = {}): Record<string, string> => ({
  'app/kustomization.yaml': text,
  'app/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n',
  ...more,
});
// From the private folder of a run up to the root of the file system, whatever the depth.
const up = '../'.repeat(20);

type Attack = Readonly<{ files: Record<string, string>; source?: object; buildOptions?: string }>;

/** Kustomizations that go for files outside where kustomize itself keeps them from none. */
const freely = (
  attacks: Readonly<Record<string, Readonly<{ text: string; more?: Record<string, string>; source?: object }>>>,
): Readonly<Record<string, Attack>> =>
  Object.fromEntries(
    Object.entries(attacks).map(([name, { text, more = {}, source = {} }]) => [
      `kustomize without restrictions: ${name}`,
      {
        files: kustomization(text, more),
        source,
        buildOptions: '--enable-helm --load-restrictor LoadRestrictionsNone',
      },
    ]),
  );

/** Each of these goes for a file outside the tree, for the token or for the environment of this process. */
const attacks: Readonly<Record<string, Attack>> = {
  'helm: .Files.Get above the chart': { files: chart(`{{ .Files.Get "${up.slice(1)}${outside}" | quote }}`) },
  'helm: .Files.Get of an absolute path': { files: chart(`{{ .Files.Get "${token}" | quote }}`) },
  'helm: .Files.Glob of everything': { files: chart(`{{ (.Files.Glob "${outside}").AsConfig | quote }}`) },
  'helm: env and expandenv': { files: chart('{{ env "TIPHYS_TEST_CANARY" | quote }}') },
  'helm: expandenv': { files: chart('{{ expandenv "$TIPHYS_TEST_CANARY" | quote }}') },
  'helm: tpl with a file from a value': {
    files: chart(`{{ tpl (.Files.Get "values.yaml") . | quote }}`, { 'app/values.yaml': `-> ${outside}` }),
  },
  'helm: lookup of a secret': { files: chart('{{ lookup "v1" "Secret" "kube-system" "" | toJson | quote }}') },
  'helm: a value file that is a link': {
    files: chart('{{ .Values | toJson | quote }}', { 'app/v.yaml': `-> ${bench.root}/canary.yaml` }),
    source: { helm: { valueFiles: ['v.yaml'] } },
  },
  'helm: a value file above the repository': {
    files: chart('{{ .Values | toJson | quote }}'),
    source: { helm: { valueFiles: [`${up}${bench.root}/canary.yaml`] } },
  },
  'helm: a value file by file URL': {
    files: chart('{{ .Values | toJson | quote }}'),
    source: { helm: { valueFiles: [`file://${bench.root}/canary.yaml`] } },
  },
  'helm: a parameter that reads a file': {
    files: chart('{{ .Values | toJson | quote }}'),
    source: { helm: { fileParameters: [{ name: 'x', path: outside }] } },
  },
  'helm: an option in a release name': {
    files: chart('{{ .Release.Name | quote }}'),
    source: { helm: { releaseName: `--values=${bench.root}/canary.yaml` } },
  },
  'helm: an option in a parameter name': {
    files: chart('{{ .Values | toJson | quote }}'),
    source: { helm: { parameters: [{ name: `x=1 --set-file y=${outside}`, value: '1' }] } },
  },
  'helm: a second value file behind a comma': {
    files: chart('{{ .Values | toJson | quote }}', {
      'app/v': 'x: 1\n',
      [`app/v,${bench.root}/canary.yaml`]: 'x: 1\n',
    }),
    source: { helm: { valueFiles: [`v,${bench.root}/canary.yaml`] } },
  },
  'helm: a second value file behind a comma in a URL': {
    files: chart('{{ .Values | toJson | quote }}'),
    source: { helm: { valueFiles: [`http://127.0.0.1:9/v,${bench.root}/canary.yaml`], ignoreMissingValueFiles: true } },
  },
  'helm: a file parameter behind a comma in a name': {
    files: chart('{{ .Values | toJson | quote }}', { 'app/v': 'x' }),
    source: { helm: { fileParameters: [{ name: `x=${outside},y`, path: 'v' }] } },
  },
  'helm: a file parameter behind a comma in a path': {
    files: chart('{{ .Values | toJson | quote }}', { 'app/v': 'x', [`app/v,y=${outside}`]: 'x' }),
    source: { helm: { fileParameters: [{ name: 'x', path: `v,y=${outside}` }] } },
  },
  'helm: a template that is a link': { files: chart('"x"', { 'app/templates/l.yaml': `-> ${outside}` }) },
  'helm: a subchart above the repository': {
    files: chart('"x"', {
      'app/Chart.yaml': `apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n- {name: s, version: 0.1.0, repository: "file://${up}${secrets}"}\n`,
    }),
  },
  'helm: a subchart elsewhere on the host': {
    files: chart('"x"', {
      'app/Chart.yaml': `apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n- {name: s, version: 0.1.0, repository: "file://${up}${bench.root}/chart-of-others"}\n`,
    }),
  },
  'kustomize: a resource above the repository': { files: kustomization(`resources: ["${up}${outside}"]\n`) },
  'kustomize: a generator with an absolute path': {
    files: kustomization(`configMapGenerator:\n- {name: a, files: ["${token}"]}\n`),
  },
  'kustomize: a generator with a path above': {
    files: kustomization(`configMapGenerator:\n- {name: a, files: ["x=${up}${outside}"]}\n`),
  },
  'kustomize: a generator over a link': {
    files: kustomization('configMapGenerator:\n- {name: a, files: [link]}\n', { 'app/link': `-> ${outside}` }),
  },
  'kustomize: a generator that reads the environment': {
    files: kustomization('configMapGenerator:\n- {name: a, envs: [env]}\n', { 'app/env': 'TIPHYS_TEST_CANARY\n' }),
  },
  'kustomize: a patch above the repository': {
    files: kustomization(`resources: [cm.yaml]\npatches:\n- {path: "${up}${outside}"}\n`),
  },
  'kustomize: a plugin that runs a program': {
    files: kustomization('generators: [g.yaml]\n', {
      'app/g.yaml': `apiVersion: v1\nkind: Any\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: /bin/cat}\n`,
    }),
    buildOptions: '--enable-helm',
  },
  'kustomize: a transformer with a hidden path': {
    files: kustomization('resources: [cm.yaml]\ntransformers: [t.yaml]\n', {
      'app/t.yaml': `apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: ${up}${outside}\n`,
    }),
  },
  'kustomize: a chart with a value file outside': {
    files: kustomization(`helmCharts:\n- {name: c, valuesFile: "${up}${bench.root}/canary.yaml"}\n`, {
      'app/charts/c/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
      'app/charts/c/templates/x.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {text: "{{ .Values | toJson | b64enc }}"}\n',
    }),
    buildOptions: '--enable-helm',
  },
  'kustomize: a second value file behind a comma': {
    files: kustomization(
      `helmCharts:\n- {name: c, valuesFile: "charts/c/v", additionalValuesFiles: ["charts/c/v,${bench.root}/canary.yaml"]}\n`,
      {
        'app/charts/c/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n',
        'app/charts/c/v': 'x: 1\n',
        [`app/charts/c/v,${bench.root}/canary.yaml`]: 'x: 1\n',
        'app/charts/c/templates/x.yaml':
          'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {text: {{ .Values | toJson | quote }}}\n',
      },
    ),
    buildOptions: '--enable-helm',
  },
  ...freely({
    'a resource': { text: `resources: ["${up}${outside}"]\n` },
    'a generator': { text: `configMapGenerator:\n- {name: a, files: ["x=${up}${outside}"]}\n` },
    'a generator in other letters': { text: `configMapGenerator:\n- {name: a, Files: ["x=${up}${outside}"]}\n` },
    'a field in other letters': { text: `ConfigMapGenerator:\n- {name: a, files: ["x=${up}${outside}"]}\n` },
    'a field given twice': {
      text: `configMapGenerator:\n- {name: a, files: [cm.yaml]}\nconfigMapGenerator:\n- {name: a, files: ["${up}${outside}"]}\n`,
    },
    'a merged mapping': {
      text: `vars: []\nmetadata: {annotations: {}, labels: &a {files: ["x=${up}${outside}"]}}\nconfigMapGenerator:\n- {name: a, <<: *a}\n`,
    },
    'a binary text': {
      text: `configMapGenerator:\n- name: a\n  files: [!!binary ${Buffer.from(`x=${up}${outside}`).toString('base64')}]\n`,
    },
    'a path that looks like YAML': {
      text: `patchesStrategicMerge: ["{x}/../${up}${outside}"]\nresources: [cm.yaml]\n`,
    },
    'a path of two lines': { text: `patchesStrategicMerge: ["x\\n/../${up}${outside}"]\nresources: [cm.yaml]\n` },
    'an inline transformer': {
      text: `resources: [cm.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: t}\n  path: ${up}${outside}\n`,
    },
    'an inline generator': {
      text: `generators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: t}\n  files: ["${up}${outside}"]\n`,
    },
    'a second document': {
      text: `resources: [cm.yaml]\n---\nconfigMapGenerator:\n- {name: a, files: ["x=${up}${outside}"]}\n`,
    },
    'a value file of a chart': {
      text: `helmCharts:\n- {name: c, valuesFile: "${up}${bench.root}/canary.yaml"}\n`,
    },
    'a chart elsewhere': {
      text: `helmGlobals: {chartHome: "${up}${bench.root}"}\nhelmCharts:\n- {name: chart-of-others}\n`,
    },
    'a patch of the source': {
      text: 'resources: [cm.yaml]\n',
      source: { kustomize: { patches: [{ path: `${up}${outside}` }] } },
    },
    'a base that leads on': {
      text: 'resources: [base]\n',
      more: { 'app/base/kustomization.yaml': `configMapGenerator:\n- {name: a, Envs: ["${up}${outside}"]}\n` },
    },
    'a link': {
      text: 'configMapGenerator:\n- {name: a, files: [link]}\n',
      more: { 'app/link': `-> ${outside}` },
    },
  }),
  'directory: a link to a file outside': { files: { 'app/a.yaml': `-> ${bench.root}/canary.yaml` } },
  'directory: a link through a folder': { files: { 'app/a': `-> ${bench.root}`, 'app/b.yaml': '-> a/canary.yaml' } },
  'directory: a folder outside': { files: { 'app/a.yaml': 'x: 1\n' }, source: { path: `${up}${secrets}` } },
};

describe('hostile repositories', { skip: withoutTools }, () => {
  for (const [name, { files, source = {}, buildOptions = '' }] of Object.entries(attacks))
    test(`REPO-20 ${name}`, async () => {
      const repo = bench.origin(files);
      const request = await bench.request(
        { repoURL: repo.url, path: 'app', ...source },
        { settings: withBuildOptions(buildOptions) },
      );
      for (const one of [renderer, withHostInSight]) {
        const said = await one
          .render(request, signal)
          .then(asText, (error: unknown) => `${messageOf(error)} ${String((error as Error).stack)}`);
        assert.ok(!said.includes(canary), said);
        assert.ok(!said.includes(Buffer.from(canary).toString('base64').slice(0, 12)), said);
      }
    });

  /** A commit whose few objects stand for 10^12 files: each folder holds the next one ten times. */
  function treeBomb(files: Readonly<Record<string, string>> = {}): Origin {
    const repo = bench.origin({ 'app/cm.yaml': configMap('a'), ...files });
    const pipe = (command: string, input: string): string =>
      execFileSync('git', ['-C', repo.url, command, ...(command === 'mktree' ? [] : ['-w', '--stdin'])], { input })
        .toString()
        .trim();
    let folder = pipe('mktree', `100644 blob ${pipe('hash-object', 'x: 1\n')}\tf.yaml\n`);
    for (let level = 0; level < 12; level += 1)
      folder = pipe('mktree', Array.from({ length: 10 }, (_, n) => `040000 tree ${folder}\td${n}\n`).join(''));
    const app = pipe('mktree', `${repo.git('ls-tree', 'HEAD:app')}\n040000 tree ${folder}\tbomb\n`);
    const root = pipe('mktree', `040000 tree ${app}\tapp\n`);
    repo.git('update-ref', 'refs/heads/main', repo.git('commit-tree', '-m', 'bomb', root));
    return repo;
  }

  for (const [name, files, source] of [
    ['directory', {}, { directory: { recurse: true } }],
    ['helm', { 'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n' }, {}],
    [
      'helm: a glob',
      { 'app/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 0.1.0\n' },
      { helm: { valueFiles: ['**/x.yaml'] } },
    ],
    ['kustomize', { 'app/kustomization.yaml': 'configMapGenerator:\n- {name: a, files: [bomb]}\n' }, {}],
  ] as const)
    test(`REPO-20 ${name}: a folder that holds itself many times over is refused, and quickly`, async () => {
      const repo = treeBomb(files);
      const started = performance.now();
      const request = await bench.request({ repoURL: repo.url, path: 'app', ...source });
      const error = await renderer.render(request, AbortSignal.timeout(60_000)).then(
        () => assert.fail('expected an error'),
        (thrown: unknown) => thrown,
      );
      assert.ok(isCoded(error), String(error));
      console.log(`${name}: ${error.code} after ${Math.round(performance.now() - started)} ms`);
      assert.equal(error.code, 'git/too-large', messageOf(error));
    });

  test('the folder beside it is rendered as ever', async () => {
    const repo = treeBomb();
    const rendered = await renderer.render(await bench.request({ repoURL: repo.url, path: 'app' }), signal);
    assert.equal(rendered.objects.length, 1);
  });

  test('tools leave nothing behind, and get nothing of this process', async () => {
    assert.deepEqual(
      readdirSync(bench.root)
        .filter((entry) => entry.startsWith('work-'))
        .flatMap((entry) => readdirSync(join(bench.root, entry, 'runs'))),
      [],
    );
    const sandbox = await bench.sandbox({ hiddenPaths: [secrets] });
    console.log(`isolation on this host: ${sandbox.isolation}`);
    const cwd = join(bench.root, 'runs', 'one', 'home');
    mkdirSync(cwd, { recursive: true });
    const run = (program: string, ...args: string[]) =>
      runTool(
        { tool: 'helm', program: { command: program, args: [] }, args, cwd, home: cwd, network: 'none' },
        { sandbox, settings: { timeoutMs: 10_000, maxOutputBytes: 100_000 }, path: rendererDefaults.path },
        signal,
      );
    const env = await run('/bin/sh', '-c', 'export -p; command -v git; command -v sh');
    assert.ok(env.kind === 'ok' || env.stdout.includes('HOME'));
    assert.ok(!String(env.stdout).includes('CANARY') && !String(env.stdout).includes('/bin/git'), String(env.stdout));
    if (sandbox.isolation === 'none' || sandbox.isolation === 'uid') return;
    const read = await run('/bin/cat', token);
    assert.equal(read.kind, 'failed', 'the hidden folder is empty');
    const others = await run(
      '/bin/sh',
      '-c',
      'for f in /proc/[0-9]*/environ; do while read -r line; do echo "$line"; done < "$f"; done',
    );
    assert.ok(!String(others.stdout).includes(canary), 'the environment of this process is out of reach');
    const net = await run('/bin/cat', '/proc/net/dev');
    assert.ok(!/eth|ens|enp/.test(String(net.stdout)), String(net.stdout));
  });

  test('a tool that never ends, and one that prints too much, are stopped with all they started', async () => {
    const sandbox = await bench.sandbox();
    const cwd = join(bench.root, 'runs', 'two', 'home');
    mkdirSync(cwd, { recursive: true });
    const run = (script: string) =>
      runTool(
        {
          tool: 'helm',
          program: { command: '/bin/sh', args: ['-c'] },
          args: [script],
          starts: ['/bin/sleep'],
          cwd,
          home: cwd,
          network: 'none',
        },
        { sandbox, settings: { timeoutMs: 500, maxOutputBytes: 1000 }, path: rendererDefaults.path },
        signal,
      );
    const started = performance.now();
    await assert.rejects(run('/bin/sleep 100 & /bin/sleep 100'), { code: 'render/timeout' });
    assert.ok(performance.now() - started < 5000);
    await assert.rejects(run('while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done'), { code: 'render/output-too-large' });
    assert.ok(helm !== '' && kubectl !== '');
  });
});
