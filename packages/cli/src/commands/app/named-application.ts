import { type Application, CodedError, projectOf } from '@tiphys/api';
import { readApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { option, positional } from '../../define-command.ts';
import { applicationRef } from './application-text.ts';

/** The arguments of a command about one application. */
export const applicationArguments = {
  application: positional('The application: name or namespace/name'),
  appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
};

/** `--project` where it only makes sure of the project. */
export const expectedProject = option('Project that the application must belong to', { value: 'name' });

type Named = Readonly<{ application: string; appNamespace?: string | undefined; project?: string | undefined }>;

/** How the application is called that the arguments name, and what is stored of it. @throws CodedError operation/not-found */
export async function namedApplication(
  { application: text, appNamespace, project }: Named,
  { ports, signal }: CommandContext,
): Promise<Readonly<{ ref: ReturnType<typeof applicationRef>; application: Application }>> {
  const ref = applicationRef(text, appNamespace);
  const application = await readApplication({ ...ref, signal }, await ports());
  const actual = projectOf(application.spec);
  if (project !== undefined && project !== actual)
    throw new CodedError('operation/not-found', `application ${text} is in project ${actual}, not ${project}`);
  return { ref, application };
}
