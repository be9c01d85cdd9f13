import { at, CodedError, isRecord, type KubeObject, stringifyJson, stringifyYaml } from '@tiphys/api';
import type { CommandContext } from '../../context.ts';
import { choice, defineCommand, flag, option, options } from '../../define-command.ts';
import { withoutManagedFields } from '../../output/object.ts';
import { formatTable } from '../../output/table.ts';
import { type LiveRef, readObjects, refText } from '../../reading/live-objects.ts';
import type { TreeNode } from '../../reading/resource-tree.ts';
import { applicationArguments, expectedProject, namedApplication } from './named-application.ts';

const flat = (nodes: readonly TreeNode[]): readonly TreeNode[] =>
  nodes.flatMap((node) => [node, ...flat(node.children)]);

/** `status.replicas`, `metadata.labels` and so on, taken out of an object into one of the same form. */
function onlyFields(object: unknown, paths: readonly string[]): unknown {
  if (paths.length === 0) return object;
  const result: Record<string, unknown> = {};
  for (const path of paths) {
    const steps = path.split('.');
    const value = at(object, ...steps);
    if (value === undefined) continue;
    let here = result;
    for (const step of steps.slice(0, -1)) {
      const next = here[step];
      const inner: Record<string, unknown> = isRecord(next) ? next : {};
      here[step] = inner;
      here = inner;
    }
    here[steps.at(-1) ?? ''] = value;
  }
  return result;
}

/** Every scalar of an object with the path to it. */
function leaves(value: unknown, path: string): readonly (readonly [path: string, value: string])[] {
  if (Array.isArray(value)) return value.flatMap((entry, index) => leaves(entry, `${path}[${index}]`));
  if (isRecord(value))
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
  return [[path, typeof value === 'string' ? value : stringifyJson(value)]];
}

type Wanted = Readonly<{ kind: string; group?: string | undefined; resourceName?: string | undefined }>;

async function readMatching(
  nodes: readonly TreeNode[],
  { kind, group, resourceName }: Wanted,
  read: (refs: readonly LiveRef[]) => ReturnType<typeof readObjects>,
): Promise<readonly KubeObject[]> {
  const chosen = flat(nodes).filter(
    (node) =>
      node.kind === kind &&
      (group === undefined || node.group === group) &&
      (resourceName === undefined || node.name === resourceName),
  );
  const found = await read(chosen);
  return chosen.flatMap((node) => found.get(refText(node)) ?? []);
}

async function liveObjects(
  args: Readonly<{ application: string; appNamespace?: string | undefined; project?: string | undefined }>,
  wanted: Wanted,
  context: CommandContext,
): Promise<readonly KubeObject[]> {
  const { application } = await namedApplication(args, context);
  const [{ readTree }, { openDestination }, { maskSecrets }] = await Promise.all([
    import('../../reading/resource-tree.ts'),
    import('../../reading/destination.ts'),
    import('@tiphys/engine'),
  ]);
  const { roots } = await readTree(application, 'by-project', context);
  const { client, close } = await openDestination(application.spec, await context.ports(), context.signal);
  try {
    const found = await readMatching(roots, wanted, (refs) => readObjects(client, refs, context.signal));
    // One at a time: masks compare values, and here nothing is compared.
    return found.flatMap((object) => maskSecrets([object]));
  } finally {
    await close();
  }
}

export const appGetResource = defineCommand({
  summary: 'Show live objects of an application',
  description: 'Show live objects of an application, of one kind. Values of Secrets are masked.',
  examples: [
    'app get-resource shop --kind Deployment',
    'app get-resource shop --kind Pod --filter-fields status.phase,spec.nodeName',
    'app get-resource shop --kind ConfigMap --resource-name settings -o yaml',
  ],
  args: {
    ...applicationArguments,
    kind: option('Kind of the objects', { value: 'kind' }),
    group: option('API group of the objects', { value: 'group' }),
    resourceName: option('Name of the object (default: all of the kind)', { value: 'name' }),
    filterFields: options('Only these fields, such as status.phase; by comma or repeated', { value: 'paths' }),
    showManagedFields: flag('Show who set which field'),
    output: choice('Output format (default wide)', ['wide', 'json', 'yaml'], { short: 'o' }),
    project: expectedProject,
  },
  run: async (args, context) => {
    const { kind, group, resourceName } = args;
    if (kind === undefined) throw new CodedError('cli/usage', '--kind is missing');
    const objects = await liveObjects(args, { kind, group, resourceName }, context);
    if (objects.length === 0)
      throw new CodedError(
        'operation/not-found',
        `application ${args.application} has no ${kind}${resourceName === undefined ? '' : ` ${resourceName}`}`,
      );
    const paths = args.filterFields.flatMap((text) => text.split(','));
    const shown = objects.map((object) =>
      onlyFields(args.showManagedFields === true ? object : withoutManagedFields(object), paths),
    );
    if (args.output === 'yaml') context.print(shown.map((one) => `---\n${stringifyYaml(one)}`).join(''));
    else if (args.output === 'json') context.print(`${stringifyJson(shown.length === 1 ? shown[0] : shown, 2)}\n`);
    else {
      const rows = shown.flatMap((one, index) =>
        leaves(one, '').map(([path, value]) => [objects[index]?.metadata.name ?? '', path, value]),
      );
      context.print(formatTable([['RESOURCE NAME', 'FIELD', 'VALUE'], ...rows]));
    }
    return 0;
  },
});
