import { applicationResource, CodedError } from '@tiphys/api';
import type { ApplicationRef, OperationPorts } from '@tiphys/operations';
import { applicationRef } from './application-text.ts';

/** Which applications somebody means: by name, or by labels and project. */
export type Selection = Readonly<{
  names: readonly string[];
  selector?: string | undefined;
  projects?: readonly string[];
  appNamespace?: string | undefined;
  signal: AbortSignal;
}>;

/** The applications of a selection. @throws CodedError cli/usage when it names none */
export async function selectApplications(
  selection: Selection,
  ports: OperationPorts,
): Promise<readonly ApplicationRef[]> {
  const { names, selector, projects = [], appNamespace } = selection;
  if (names.length > 0) return names.map((name) => applicationRef(name, appNamespace));
  if (selector === undefined && projects.length === 0)
    throw new CodedError('cli/usage', 'name an application, or select some with --selector or --project');
  const found: ApplicationRef[] = [];
  const scope = { namespace: appNamespace ?? ports.namespace, labelSelector: selector, signal: selection.signal };
  await ports.kube.listEach(applicationResource, scope, ({ metadata, spec }) => {
    const project = typeof spec === 'object' && spec !== null && 'project' in spec ? spec.project : 'default';
    if (projects.length > 0 && !projects.includes(String(project))) return;
    found.push({ name: metadata.name ?? '', namespace: metadata.namespace });
  });
  if (found.length === 0) throw new CodedError('operation/not-found', 'no application matches');
  return found;
}

/** An object as `--resource` names it: `GROUP:KIND:NAME` or `GROUP:KIND:NAMESPACE/NAME`; a leading `!` leaves it out. */
export type ResourceFilter = Readonly<{
  exclude: boolean;
  group: string;
  kind: string;
  namespace: string;
  name: string;
}>;

/** @throws CodedError cli/usage */
export function resourceFilter(text: string): ResourceFilter {
  const exclude = text.startsWith('!');
  const parts = (exclude ? text.slice(1) : text).split(':');
  const [group, kind, target] = parts;
  if (parts.length !== 3 || group === undefined || kind === undefined || target === undefined || target === '')
    throw new CodedError(
      'cli/usage',
      `--resource takes GROUP:KIND:NAME (the group is empty for the core group), not "${text}"`,
    );
  const slash = target.indexOf('/');
  return { exclude, group, kind, namespace: slash < 0 ? '' : target.slice(0, slash), name: target.slice(slash + 1) };
}

type Named = Readonly<{ group?: string; kind?: string; namespace?: string; name?: string }>;

const covers = (filter: ResourceFilter, { group = '', kind = '', namespace = '', name = '' }: Named): boolean =>
  (filter.group === '*' || filter.group === group) &&
  (filter.kind === '*' || filter.kind === kind) &&
  (filter.name === '*' || filter.name === name) &&
  (filter.namespace === '' || filter.namespace === namespace);

/** Whether an object is meant by the filters; without any, each is. */
export function isSelected(filters: readonly ResourceFilter[], object: Named): boolean {
  const excluded = filters.some((filter) => filter.exclude && covers(filter, object));
  const included = filters.filter(({ exclude }) => !exclude);
  return !excluded && (included.length === 0 || included.some((filter) => covers(filter, object)));
}
