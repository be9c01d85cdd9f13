import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type KustomizeSource, parseYaml, stringifyYaml } from '@tiphys/api';
import { applyEdits, editsOf } from './edit.ts';
import type { Kustomization } from './kustomization.ts';

const version = 'v5.7.1';

/** The kustomize that has `edit`: one that is there, or one built from its Go module; undefined where neither can be had. */
function standalone(): string | undefined {
  const given = process.env['TIPHYS_TEST_KUSTOMIZE'];
  if (given !== undefined) return given;
  const folder = join(import.meta.dirname, `../../../../../.cache/kustomize-${version}`);
  const program = join(folder, 'kustomize');
  if (existsSync(program)) return program;
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync('go', ['install', `sigs.k8s.io/kustomize/kustomize/v5@${version}`], {
      env: { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' },
      stdio: 'ignore',
      timeout: 300_000,
    });
    return program;
  } catch {
    return undefined;
  }
}

const deployment = (name: string, image: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\n  labels: {old: "1"}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: ${name}}}\n  template:\n    metadata: {labels: {app: ${name}}}\n    spec:\n      containers:\n      - {name: main, image: "${image}"}\n`;

const files: Readonly<Record<string, string>> = {
  'web.yaml': deployment('web', 'nginx:1'),
  'db.yaml': deployment(
    'db',
    'registry:5000/postgres:16@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3',
  ),
  'component/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n',
};

const plain = 'resources: [web.yaml, db.yaml]\n';
const full = `${plain}namePrefix: old-\nimages:\n- {name: nginx, newName: mirror/nginx, newTag: "2"}\n- {name: zzz, newTag: "1"}\nreplicas:\n- {name: web, count: 2}\ncommonLabels: {team: a}\nlabels:\n- pairs: {tier: x}\n- pairs: {deep: yy}\n  includeTemplates: true\ncommonAnnotations: {note: old}\n`;

const digested = `${plain}images:\n- {name: nginx, newName: mirror/nginx, digest: "sha256:${'1'.repeat(64)}"}\n`;

/** What the source says, and the same for `kustomize edit`. */
const table: readonly (readonly [start: string, source: KustomizeSource, edits: readonly (readonly string[])[]])[] = [
  [plain, { namePrefix: 'a-' }, [['set', 'nameprefix', '--', 'a-']]],
  [full, { namePrefix: 'a-' }, [['set', 'nameprefix', '--', 'a-']]],
  [plain, { nameSuffix: '-z' }, [['set', 'namesuffix', '--', '-z']]],
  [full, { namespace: 'n' }, [['set', 'namespace', '--', 'n']]],
  ...[
    'nginx:9',
    'nginx=other',
    'nginx=other:3',
    'nginx=r.example.com:5000/other:3',
    'registry:5000/postgres:17',
    'registry:5000/postgres=pg@sha256:0000000000000000000000000000000000000000000000000000000000000000',
    'nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000',
    'nginx:9@sha256:0000000000000000000000000000000000000000000000000000000000000000',
    'nginx=*:9',
    'nginx=other:*',
    'nginx:*',
    'unknown:1',
  ].flatMap((image) => [plain, full].map((start) => [start, { images: [image] }, [['set', 'image', image]]] as const)),
  ...['nginx:9', 'nginx=other', `nginx=other:3@sha256:${'0'.repeat(64)}`, 'nginx:*', 'nginx=*:*', 'nginx@*'].flatMap(
    (image) => [plain, full, digested].map((start) => [start, { images: [image] }, [['set', 'image', image]]] as const),
  ),
  [full, { images: ['nginx:8', 'aaa:1'] }, [['set', 'image', 'nginx:8', 'aaa:1']]],
  [
    full,
    {
      replicas: [
        { name: 'web', count: 5 },
        { name: 'db', count: '0' },
      ],
    },
    [['set', 'replicas', 'web=5', 'db=0']],
  ],
  [plain, { commonLabels: { a: '1', b: 'x:y' } }, [['add', 'label', 'a:1', 'b:x:y']]],
  [full, { commonLabels: { team: 'b' }, forceCommonLabels: true }, [['add', 'label', '--force', 'team:b']]],
  [full, { commonLabels: { team: 'b' } }, [['add', 'label', 'team:b']]],
  [
    full,
    { commonLabels: { more: 'b' }, labelWithoutSelector: true },
    [['add', 'label', '--without-selector', 'more:b']],
  ],
  [
    plain,
    { commonLabels: { more: 'b' }, labelWithoutSelector: true },
    [['add', 'label', '--without-selector', 'more:b']],
  ],
  [
    full,
    { commonLabels: { tier: 'b' }, labelWithoutSelector: true },
    [['add', 'label', '--without-selector', 'tier:b']],
  ],
  [
    full,
    { commonLabels: { more: 'b' }, labelWithoutSelector: true, labelIncludeTemplates: true },
    [['add', 'label', '--without-selector', '--include-templates', 'more:b']],
  ],
  [
    plain,
    { commonLabels: { more: 'b' }, labelWithoutSelector: true, labelIncludeTemplates: true },
    [['add', 'label', '--without-selector', '--include-templates', 'more:b']],
  ],
  [plain, { commonAnnotations: { a: '1' } }, [['add', 'annotation', 'a:1']]],
  [full, { commonAnnotations: { note: 'new' } }, [['add', 'annotation', 'note:new']]],
  [
    full,
    { commonAnnotations: { note: 'new' }, forceCommonAnnotations: true },
    [['add', 'annotation', '--force', 'note:new']],
  ],
  [full, { components: ['component'] }, [['add', 'component', 'component']]],
];

const program = standalone();
const root = mkdtempSync(join(tmpdir(), 'tiphys-edit-'));
after(() => rmSync(root, { recursive: true, force: true }));

describe(
  'the changes of a source are those of kustomize edit',
  { skip: program === undefined ? 'needs Go, to build the kustomize that has edit' : false },
  () => {
    for (const [index, [start, source, edits]] of table.entries())
      test(`REPO-06 ${start === plain ? '' : 'over present settings '}${JSON.stringify(source)}`, () => {
        const build = (change: (folder: string) => void): string => {
          const folder = join(root, `${index}-${Math.random()}`);
          mkdirSync(join(folder, 'component'), { recursive: true });
          for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
          writeFileSync(join(folder, 'kustomization.yaml'), start);
          const run = (...args: string[]): string =>
            execFileSync(program!, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
          try {
            change(folder);
          } catch {
            return 'refused';
          }
          return run('build', '.');
        };
        const theirs = build((folder) => {
          for (const args of edits)
            execFileSync(program!, ['edit', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
        });
        const ours = build((folder) => {
          const kustomization = parseYaml(start) as Kustomization;
          writeFileSync(
            join(folder, 'kustomization.yaml'),
            stringifyYaml(applyEdits(kustomization, editsOf(source, {}))),
          );
        });
        assert.equal(ours, theirs);
      });
  },
);
