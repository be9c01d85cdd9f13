import { type Application, type KubeObject, stringifyYaml } from '@tiphys/api';
import { readApplication } from '@tiphys/operations';
import type { CommandContext } from '../../context.ts';
import { choice, defineCommand, option, positional } from '../../define-command.ts';
import { withoutManagedFields } from '../../output/object.ts';
import { applicationRef } from './application-text.ts';
import { chosenRevisions, revisionArguments } from './revision-flags.ts';

async function liveManifests(
  application: Application,
  { ports, signal }: CommandContext,
): Promise<readonly KubeObject[]> {
  const { openDestination } = await import('../../reading/destination.ts');
  const { client, close } = await openDestination(application.spec, await ports(), signal);
  try {
    const resources = (application.status?.resources ?? []).filter(({ hook }) => hook !== true);
    const found = await Promise.all(
      resources.map(({ group = '', version = '', kind = '', namespace, name = '' }) =>
        client.get({ gvk: { group, version, kind }, namespace, name }, { signal }),
      ),
    );
    return found.filter((object) => object !== undefined);
  } finally {
    await close();
  }
}

export const appManifests = defineCommand({
  summary: 'Print the manifests of an application',
  description:
    'Print the manifests of an application, as Git has them or as they are in the cluster. Values of Secrets are masked.',
  examples: [
    'app manifests shop',
    'app manifests shop --revision v2',
    'app manifests shop --source live',
    'app manifests shop --local ./k8s',
  ],
  args: {
    application: positional('The application: name or namespace/name'),
    source: choice('What Git says (default), or what is in the cluster', ['git', 'live']),
    ...revisionArguments('Revision instead of the configured one'),
    local: option('Folder to render instead of what is in Git', { value: 'path' }),
    localRepoRoot: option('Root of the files that --local may use', { value: 'path' }),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, context) => {
    const ports = await context.ports();
    const ref = applicationRef(args.application, args.appNamespace);
    const application = await readApplication({ ...ref, signal: context.signal }, ports);
    const { maskSecrets } = await import('@tiphys/engine');
    const print = (objects: readonly KubeObject[]): void =>
      objects.forEach((object) => {
        const [masked] = maskSecrets([object]);
        context.print(`---\n${stringifyYaml(withoutManagedFields(masked))}`);
      });
    if (args.source === 'live') print(await liveManifests(application, context));
    else {
      const { compareHere } = await import('../../reading/open-comparison.ts');
      const local = args.local === undefined ? undefined : { directory: args.local, root: args.localRepoRoot };
      const request = { application, revisions: chosenRevisions(application, args), local };
      print((await compareHere(request, context)).comparison.desired);
    }
    return 0;
  },
});
