import type { Application } from '@tiphys/api';
import type { Style } from '../../output/style.ts';
import { formatTable } from '../../output/table.ts';
import type { TreeNode } from '../../reading/resource-tree.ts';

/** `tree` shows status and health, `tree=detailed` also how old an object is and why it is as it is. */
export type TreeForm = 'tree' | 'tree=detailed';

/** What `-o` takes where a tree can be shown. */
export const treeForms = ['tree', 'tree=detailed'] as const;

export const isTreeForm = (output: string | undefined): output is TreeForm =>
  output === 'tree' || output === 'tree=detailed';

const unitsSeconds = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** How old something is in its two largest units: `3d4h`, `5m`; empty when it is not there. */
export function ageText(createdAt: string, now: Date): string {
  if (createdAt === '') return '';
  const ageSeconds = Math.max(0, Math.floor((now.getTime() - new Date(createdAt).getTime()) / 1000));
  const first = unitsSeconds.findIndex(([, seconds]) => ageSeconds >= seconds);
  if (first < 0) return '0s';
  const counts = unitsSeconds.map(([unit, seconds], index) => {
    const above = unitsSeconds[index - 1]?.[1] ?? Number.POSITIVE_INFINITY;
    return [Math.floor((ageSeconds % above) / seconds), unit] as const;
  });
  const shown = counts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count}${unit}`).join('');
}

type Line = Readonly<{ name: string; node: TreeNode }>;

const nameText = ({ group, kind, name }: TreeNode): string => `${group === '' ? kind : `${group}/${kind}`}/${name}`;

function linesOf(nodes: readonly TreeNode[], indent: string): readonly Line[] {
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    const below = linesOf(node.children, `${indent}${isLast ? '  ' : '│ '}`);
    return [{ name: `${indent}${isLast ? '└─' : '├─'}${nameText(node)}`, node }, ...below];
  });
}

/** The objects of an application, each under what owns it. */
export function treeText(
  application: Application,
  nodes: readonly TreeNode[],
  { form, style, now }: Readonly<{ form: TreeForm; style: Style; now: Date }>,
): string {
  const detailed = form === 'tree=detailed';
  const { status, metadata } = application;
  const cells = (name: string, { code, health, message, age, reason }: Record<string, string>): string[] => [
    name,
    style.status(code ?? ''),
    style.status(health ?? ''),
    ...(detailed ? [age ?? '', message ?? '', reason ?? ''] : [message ?? '']),
  ];
  const rows = linesOf(nodes, '').map(({ name, node }) =>
    cells(name, {
      code: node.status,
      health: node.health?.status ?? '',
      message: node.health?.message ?? '',
      age: ageText(node.createdAt, now),
      reason: node.reason,
    }),
  );
  const root = cells(`Application/${metadata.name ?? ''}`, {
    code: status?.sync?.status ?? '',
    health: status?.health?.status ?? '',
    message: status?.health?.message ?? '',
    age: ageText(metadata.creationTimestamp ?? '', now),
  });
  const header = ['KIND/NAME', 'STATUS', 'HEALTH', ...(detailed ? ['AGE', 'MESSAGE', 'REASON'] : ['MESSAGE'])];
  return formatTable([header, root, ...rows]);
}
