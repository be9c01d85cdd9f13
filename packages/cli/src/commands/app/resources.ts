import { messageOf } from '@tiphys/api';
import { choice, defineCommand, flag } from '../../define-command.ts';
import { formatValue } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';
import type { ResourceTree, TreeNode } from '../../reading/resource-tree.ts';
import { applicationArguments, expectedProject, namedApplication } from './named-application.ts';
import { isTreeForm, treeForms, treeText } from './tree-text.ts';

const flat = (nodes: readonly TreeNode[]): readonly TreeNode[] =>
  nodes.flatMap((node) => [node, ...flat(node.children)]);

const row = ({ group, kind, namespace, name }: TreeNode, orphaned: boolean): string[] => [
  group,
  kind,
  namespace,
  name,
  orphaned ? 'Yes' : 'No',
];

/** Everything, or with `--orphaned` the orphans alone, or with `--orphaned=false` what is managed and nothing below it. */
function rowsOf({ roots, orphans }: ResourceTree, orphaned: boolean | undefined): readonly string[][] {
  const ofApplication = orphaned === false ? roots : orphaned === true ? [] : flat(roots);
  return [
    ...ofApplication.map((node) => row(node, false)),
    ...(orphaned === false ? [] : orphans.map((node) => row(node, true))),
  ];
}

export const appResources = defineCommand({
  summary: 'List the objects of an application',
  description:
    'List the objects of an application and those that they own. With --orphaned: what lies in its namespace and belongs to no application.',
  examples: ['app resources shop', 'app resources shop -o tree=detailed', 'app resources shop --orphaned'],
  args: {
    ...applicationArguments,
    output: choice('Output format (default wide)', ['wide', 'name', ...treeForms, 'json', 'yaml'], { short: 'o' }),
    orphaned: flag('Only objects that belong to no application; false: only managed ones'),
    project: expectedProject,
  },
  run: async (args, context) => {
    const { print, style, io, signal, notice } = context;
    const { application } = await namedApplication(args, context);
    const resources = application.status?.resources ?? [];
    if (args.output === 'json' || args.output === 'yaml') {
      print(await formatValue(resources, args.output));
      return 0;
    }
    if (args.output === 'name') {
      print(resources.map(({ kind = '', name = '' }) => `${kind}/${name}\n`).join(''));
      return 0;
    }
    const { managedOnly, readTree } = await import('../../reading/resource-tree.ts');
    const tree = await readTree(application, args.orphaned === true ? 'always' : 'by-project', context).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        if (args.orphaned === true) throw error;
        notice(`only what is managed is shown: ${messageOf(error)}`);
        return managedOnly(application);
      },
    );
    if (isTreeForm(args.output)) {
      const nodes = args.orphaned === true ? tree.orphans : tree.roots;
      print(treeText(application, nodes, { form: args.output, style, now: io.clock.now() }));
    } else print(formatTable([['GROUP', 'KIND', 'NAMESPACE', 'NAME', 'ORPHANED'], ...rowsOf(tree, args.orphaned)]));
    return 0;
  },
});
