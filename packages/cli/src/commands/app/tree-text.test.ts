import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStyle } from '../../output/style.ts';
import type { TreeNode } from '../../reading/resource-tree.ts';
import { ageText, treeText } from './tree-text.ts';

const now = new Date('2026-01-05T00:00:00Z');
const node = (kind: string, name: string, children: readonly TreeNode[] = []): TreeNode => ({
  group: kind === 'Pod' ? '' : 'apps',
  version: 'v1',
  kind,
  namespace: 'a',
  name,
  status: kind === 'Deployment' ? 'Synced' : '',
  health: { status: 'Healthy' },
  createdAt: '2026-01-03T21:00:00Z',
  reason: kind === 'Pod' ? 'Running' : '',
  children,
});

test('an age has two units at the most', () => {
  const at = (seconds: number): string => ageText(new Date(now.getTime() - seconds * 1000).toISOString(), now);
  assert.deepEqual([0, 5, 60, 90, 3600, 3661, 90_000, 86_400 * 3].map(at), [
    '0s',
    '5s',
    '1m',
    '1m30s',
    '1h',
    '1h1m',
    '1d1h',
    '3d',
  ]);
  assert.equal(ageText('', now), '');
});
test('CLI-11 a tree shows each object under its owner, in detail with age and reason', () => {
  const application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', creationTimestamp: '2026-01-03T21:00:00Z' },
    spec: { destination: {} },
  } as const;
  const nodes = [
    node('Deployment', 'a', [node('ReplicaSet', 'a-1', [node('Pod', 'a-1-x'), node('Pod', 'a-1-y')])]),
    node('Deployment', 'b', [node('ReplicaSet', 'b-1')]),
  ];
  const style = openStyle(false);
  assert.equal(
    treeText(application, nodes, { form: 'tree', style, now }),
    [
      'KIND/NAME                STATUS  HEALTH   MESSAGE',
      'Application/shop                          ',
      '├─apps/Deployment/a      Synced  Healthy  ',
      '│ └─apps/ReplicaSet/a-1          Healthy  ',
      '│   ├─Pod/a-1-x                  Healthy  ',
      '│   └─Pod/a-1-y                  Healthy  ',
      '└─apps/Deployment/b      Synced  Healthy  ',
      '  └─apps/ReplicaSet/b-1          Healthy  ',
      '',
    ].join('\n'),
  );
  const [header, , , , pod] = treeText(application, nodes, { form: 'tree=detailed', style, now }).split('\n');
  assert.match(header ?? '', /^KIND\/NAME +STATUS +HEALTH +AGE +MESSAGE +REASON$/);
  assert.match(pod ?? '', /Pod\/a-1-x +Healthy +1d3h +Running$/);
});
