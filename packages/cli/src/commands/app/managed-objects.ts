import { type Application, CodedError, type KubeObject, type ResourceStatus } from '@tiphys/api';
import { changeResource, type ResourceChange } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { flag, option } from '../../define-command.ts';
import { openDestination } from '../../reading/destination.ts';
import { installationSettings } from '../../reading/installation-settings.ts';
import { readObjects, refText } from '../../reading/live-objects.ts';
import { applicationArguments, expectedProject, namedApplication } from './named-application.ts';

/** The arguments of a command about single objects of an application. */
export const objectArguments = {
  ...applicationArguments,
  kind: option('Kind of the objects', { value: 'kind' }),
  group: option('API group of the objects', { value: 'group' }),
  namespace: option('Namespace of the objects', { value: 'name' }),
  resourceName: option('Name of the object', { value: 'name' }),
  all: flag('All that match, where there are several'),
  project: expectedProject,
};

export type ObjectChoice = Readonly<{
  application: string;
  appNamespace?: string | undefined;
  project?: string | undefined;
  kind?: string | undefined;
  group?: string | undefined;
  namespace?: string | undefined;
  resourceName?: string | undefined;
  all?: boolean | undefined;
}>;

const chosenOf = ({ status }: Application, choice: ObjectChoice): readonly ResourceStatus[] =>
  (status?.resources ?? []).filter(
    ({ group = '', kind, namespace = '', name }) =>
      kind === choice.kind &&
      (choice.group === undefined || choice.group === group) &&
      (choice.namespace === undefined || choice.namespace === namespace) &&
      (choice.resourceName === undefined || choice.resourceName === name),
  );

/**
 * Changes the managed objects that are meant, and says so of each.
 * @throws CodedError cli/usage when several are meant and that was not said, operation/not-found when none is there
 */
export async function changeObjects(
  choice: ObjectChoice,
  { change, done }: Readonly<{ change: ResourceChange; done: string }>,
  context: CommandContext,
): Promise<void> {
  const { actor, signal, print } = context;
  if (choice.kind === undefined) throw new CodedError('cli/usage', '--kind is missing');
  const { application } = await namedApplication(choice, context);
  const ports = await context.ports();
  const { client, close } = await openDestination(application.spec, ports, signal);
  try {
    const chosen = chosenOf(application, choice);
    const found = await readObjects(client, chosen, signal);
    const objects = chosen.flatMap((one): KubeObject[] => {
      const live = found.get(refText(one));
      return live === undefined ? [] : [live];
    });
    if (objects.length === 0) throw new CodedError('operation/not-found', 'No matching resource found');
    if (objects.length > 1 && choice.all !== true)
      throw new CodedError(
        'cli/usage',
        `${objects.length} resources match: name one with --resource-name and --namespace, or give --all`,
      );
    const { tracking } = await installationSettings(ports, signal);
    for (const live of objects) {
      await changeResource(actor, { application, live, change, client, tracking, signal }, ports);
      print(`Resource '${live.metadata.name ?? ''}' ${done}\n`);
    }
  } finally {
    await close();
  }
}
