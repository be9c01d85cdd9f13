import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { type ApplicationSource, messageOf } from '@tiphys/api';
import type { Renderer } from './renderer.ts';
import type { ReadSet, RenderError } from './types.ts';
import { asText, configMap, type Origin, Workbench, withoutTools } from './workbench.suite.ts';

const bench = new Workbench();
after(() => bench.close());

type Files = Record<string, string>;
type Sources = (url: string) => readonly ApplicationSource[];

const chart = (name: string, more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n${more}`;
const deployment =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: "nginx:1"}]}\n';

/** One of each kind of dependency between files. */
const fixture: Files = {
  'plain/a.yaml': configMap('a'),
  'plain/sub/b.yaml': configMap('b'),
  'plain/link.yaml': '-> ../shared/linked.yaml',
  'shared/linked.yaml': configMap('linked'),
  'base/kustomization.yaml':
    'resources: [web.yaml]\nconfigMapGenerator:\n- {name: generated, files: [settings.txt], envs: [more.env]}\n',
  'base/web.yaml': deployment,
  'base/settings.txt': 'one=1\n',
  'base/more.env': 'TWO=2\n',
  'base/unused.yaml': configMap('unused'),
  'component/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- {path: patch.yaml}\n',
  'component/patch.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n',
  'overlays/dev/kustomization.yaml': 'resources: [../../base]\nnamePrefix: dev-\n',
  'overlays/prod/kustomization.yaml':
    'resources: [../../base]\ncomponents: [../../component]\ntransformers: [transformer.yaml]\n',
  'overlays/prod/transformer.yaml':
    'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: unforeseen.yaml\ntarget: {kind: Deployment}\n',
  'overlays/prod/unforeseen.yaml': '- {op: add, path: /spec/paused, value: true}\n',
  'charts/sub/Chart.yaml': chart('sub'),
  'charts/sub/values.yaml': 'size: 1\n',
  'charts/sub/templates/s.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sub}\ndata: {size: "{{ .Values.size }}"}\n',
  'charts/main/Chart.yaml': chart(
    'main',
    'dependencies:\n- {name: sub, version: 0.1.0, repository: "file://../sub"}\n',
  ),
  'charts/main/values.yaml': 'who: main\nsub: {size: 2}\n',
  'charts/main/files/text.txt': 'text\n',
  'charts/main/templates/m.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: main}\ndata:\n  who: "{{ .Values.who }}"\n  text: {{ .Files.Get "files/text.txt" | quote }}\n',
  'env/prod.yaml': 'who: prod\n',
  'env/region/eu.yaml': 'who: eu\n',
  'env/region/us.yaml': 'region: us\n',
};

const applications: Readonly<Record<string, Sources>> = {
  plain: (repoURL) => [{ repoURL, path: 'plain', directory: { recurse: true } }],
  flat: (repoURL) => [{ repoURL, path: 'plain' }],
  dev: (repoURL) => [{ repoURL, path: 'overlays/dev' }],
  prod: (repoURL) => [
    {
      repoURL,
      path: 'overlays/prod',
      kustomize: { images: ['nginx:2'], ignoreMissingComponents: true, components: ['../../later'] },
    },
  ],
  chart: (repoURL) => [{ repoURL, path: 'charts/main' }],
  values: (repoURL) => [
    {
      repoURL,
      path: 'charts/main',
      helm: {
        valueFiles: ['$env/env/prod.yaml', '/env/region/*.yaml', '../later.yaml'],
        ignoreMissingValueFiles: true,
      },
    },
    { repoURL, ref: 'env' },
  ],
};

/** A generator of numbers that gives the same for the same seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const appear: Files = {
  'later/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -later\n',
  'charts/later.yaml': 'who: later\n',
  'env/region/asia.yaml': 'who: asia\n',
  'plain/new.yaml': configMap('new'),
  'base/kustomization.yml': 'resources: []\n',
};

/** One random change of one file: something else in it, gone, back, broken, or a new file beside it. */
function edit(files: Files, first: Files, pick: (below: number) => number): Record<string, string | undefined> {
  const paths = Object.keys(first);
  const path = paths[pick(paths.length)] ?? '';
  const text = files[path];
  const kind = pick(10);
  if (text === undefined || kind === 0) return { [path]: first[path] };
  if (kind === 1) return { [path]: undefined };
  if (kind === 2) return { [path]: `${text}broken: [\n` };
  if (kind === 3) {
    const news = Object.keys(appear).filter((name) => !(name in first));
    const name = news[pick(news.length)] ?? '';
    return { [name]: files[name] === undefined ? appear[name] : undefined };
  }
  if (text.startsWith('-> ')) return { [path]: text === first[path] ? '-> a.yaml' : first[path] };
  if (kind < 6) return { [path]: `${text}# ${pick(1000)}\n` };
  // A number or a word in it.
  return { [path]: text.replace(/(?<=[:"] ?)(\d+|main|prod|value|eu|text)(?=[\s"},]|$)/, String(pick(90) + 1)) };
}

type Outcome = Readonly<{ text: string; reads: ReadonlySet<string> }>;

const outcome = async (renderer: Renderer, sources: readonly ApplicationSource[]): Promise<Outcome> => {
  const request = await bench.request(sources);
  const pathsOf = (sets: readonly ReadSet[]): ReadonlySet<string> => new Set(sets.flatMap(({ paths }) => paths));
  return renderer.render(request, bench.signal).then(
    (rendered) => ({ text: asText(rendered), reads: pathsOf(rendered.readSet) }),
    // Failures are equal when their messages are.
    (error: unknown) => ({ text: `failed: ${messageOf(error)}`, reads: pathsOf((error as RenderError).readSet) }),
  );
};

/** Whether a change of a path is one of what was read, or lies below it: what the index of applications asks. */
function touches(reads: ReadonlySet<string>, path: string): boolean {
  for (let here = path; ; here = here.slice(0, Math.max(0, here.lastIndexOf('/')))) {
    if (reads.has(here)) return true;
    if (here === '') return false;
  }
}

type Count = { edits: number; compared: number; hits: number; failed: number; untouched: number };

async function compare(
  repo: Origin,
  apps: Readonly<Record<string, Sources>>,
  options: { files: Files; edits: number; seed: number },
): Promise<Count> {
  const warm = await bench.renderer();
  // Cold: nothing is remembered, and every run has the whole tree.
  const cold = await bench.renderer({ cacheBytes: 1, readSets: 'whole-tree' });
  const pick = random(options.seed);
  let files = { ...options.files };
  const before = new Map<string, Outcome>();
  const count: Count = { edits: 0, compared: 0, hits: 0, failed: 0, untouched: 0 };
  for (let round = 0; round <= options.edits; round += 1) {
    const change = round === 0 ? {} : edit(files, options.files, pick);
    repo.commit(change);
    files = Object.fromEntries(
      Object.entries({ ...files, ...change }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    if (round > 0) count.edits += 1;
    for (const [name, sources] of Object.entries(apps)) {
      const cached = await outcome(warm, sources(repo.url));
      const truth = await outcome(cold, sources(repo.url));
      assert.equal(
        cached.text,
        truth.text,
        `seed ${options.seed}, edit ${round} (${Object.keys(change).join()}), application ${name}`,
      );
      count.compared += 1;
      const last = before.get(name);
      before.set(name, cached);
      if (last !== undefined && !Object.keys(change).some((path) => touches(last.reads, path))) {
        assert.equal(
          cached.text,
          last.text,
          `seed ${options.seed}, edit ${round}: ${name} changed without a file it reads`,
        );
        count.untouched += 1;
      }
      if (cached.text.startsWith('failed')) count.failed += 1;
    }
  }
  count.hits = warm.stats().cacheHits;
  return count;
}

const seed = Number(process.env['TIPHYS_TEST_SEED'] ?? Date.now() % 100_000);
const edits = Number(process.env['TIPHYS_TEST_EDITS'] ?? 10);

test(
  'after a random edit of any file the cached result equals a cold render byte for byte',
  { skip: withoutTools },
  async () => {
    const count = await compare(bench.origin(fixture), applications, { files: fixture, edits, seed });
    console.log(
      `seed ${seed}: ${count.edits} edits, ${count.compared} comparisons (${count.failed} of equal errors), ${count.hits} cache hits, ${count.untouched} not touched`,
    );
    assert.ok(count.hits > 0);
  },
);

const examples = join(import.meta.dirname, '../../../../examples');

function readFiles(root: string): Files {
  if (!existsSync(root)) return {};
  const paths = readdirSync(root, { recursive: true })
    .map(String)
    .map((name) => join(root, name));
  const files = paths.filter((path) => statSync(path).isFile());
  return Object.fromEntries(files.map((path) => [relative(root, path), readFileSync(path, 'utf8')]));
}

test('the same over all examples', { skip: withoutTools }, async (context) => {
  const files = readFiles(examples);
  const folders = new Set(
    Object.keys(files)
      .filter((path) => /\.(ya?ml|json)$/.test(path) && !/(^|\/)(templates|crds)\//.test(path))
      .map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/')))),
  );
  if (folders.size === 0) {
    context.skip('examples/ holds no manifests yet');
    return;
  }
  const apps = Object.fromEntries(
    [...folders].map((path) => [path, (repoURL: string) => [{ repoURL, path: path || '.' }]] as const),
  );
  const count = await compare(bench.origin(files), apps, { files, edits: Math.ceil(edits / 3), seed });
  console.log(
    `examples, seed ${seed}: ${folders.size} folders, ${count.edits} edits, ${count.compared} comparisons (${count.failed} of equal errors), ${count.hits} cache hits, ${count.untouched} not touched`,
  );
});
