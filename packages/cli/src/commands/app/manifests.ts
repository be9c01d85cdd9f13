import { type Application, CodedError, type KubeObject, stringifyYaml } from '@tiphys/api';
import { type OperationPorts, readApplication } from '@tiphys/operations';
import { choice, defineCommand, option, positional } from '../../define-command.ts';
import { withoutManagedFields } from '../../output/object.ts';
import { applicationRef } from './application-text.ts';

const isHere = ({ destination }: Application['spec']): boolean =>
  destination.name === 'in-cluster' || destination.server === 'https://kubernetes.default.svc';

async function liveManifests(
  application: Application,
  ports: OperationPorts,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  if (!isHere(application.spec))
    throw new CodedError(
      'operation/refused',
      'the objects are on another cluster than this one; core mode reads this one only',
    );
  const resources = (application.status?.resources ?? []).filter(({ hook }) => hook !== true);
  const found = await Promise.all(
    resources.map(({ group = '', version = '', kind = '', namespace, name = '' }) =>
      ports.kube.get({ gvk: { group, version, kind }, namespace, name }, { signal }),
    ),
  );
  return found.filter((object) => object !== undefined);
}

const masked = '++++++++';

/** Values of Secrets are never printed. */
function withoutSecrets(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const hide = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.keys(value).map((key) => [key, masked]))
      : value;
  return {
    ...object,
    ...(object['data'] !== undefined && { data: hide(object['data']) }),
    ...(object['stringData'] !== undefined && { stringData: hide(object['stringData']) }),
  };
}

export const appManifests = defineCommand({
  summary: 'Print the manifests of an application',
  examples: ['app manifests shop --source live'],
  args: {
    application: positional('The application: name or namespace/name'),
    source: choice('What is in the cluster, or what Git says (default git)', ['git', 'live']),
    appNamespace: option('Namespace of the application', { short: 'N', value: 'name' }),
  },
  run: async (args, { ports, print, signal }) => {
    const cluster = await ports();
    const application = await readApplication(
      { ...applicationRef(args.application, args.appNamespace), signal },
      cluster,
    );
    if (args.source !== 'live')
      throw new CodedError('render/unsupported', 'rendering from Git is not here yet; use --source live');
    const objects = await liveManifests(application, cluster, signal);
    print(objects.map((object) => `---\n${stringifyYaml(withoutManagedFields(withoutSecrets(object)))}`).join(''));
    return 0;
  },
});
