import {
  type Application,
  applicationResource,
  CodedError,
  isCoded,
  isRecord,
  type KubeObject,
  projectOf,
} from '@tiphys/api';
import { choice, defineCommand, option, options } from '../../define-command.ts';
import { formatValue, withoutManagedFields } from '../../output/object.ts';
import { openTable } from '../../output/table.ts';
import {
  clusterText,
  conditionsText,
  firstSource,
  type ListedApplication,
  qualifiedName,
  syncPolicyText,
} from './application-text.ts';

const header = [
  'NAME',
  'CLUSTER',
  'NAMESPACE',
  'PROJECT',
  'STATUS',
  'HEALTH',
  'SYNCPOLICY',
  'CONDITIONS',
  'REPO',
  'PATH',
  'TARGET',
];

/** Rows are made as objects arrive, so a page costs nothing here; each further one would be waited for anew. */
const pageSize = 2000;

type Filters = Readonly<{
  project: readonly string[];
  repo?: string | undefined;
  path?: string | undefined;
  cluster?: string | undefined;
}>;

const matches = ({ spec }: ListedApplication, { project, repo, path, cluster }: Filters): boolean => {
  const sources = spec.sources ?? (spec.source === undefined ? [] : [spec.source]);
  return (
    (project.length === 0 || project.includes(projectOf(spec))) &&
    (repo === undefined || sources.some(({ repoURL }) => repoURL === repo)) &&
    (path === undefined || sources.some((source) => source.path === path)) &&
    (cluster === undefined || spec.destination.server === cluster || spec.destination.name === cluster)
  );
};

/** One row: what the columns show and no more, so that a long list is never held as objects. */
export function rowOf(application: ListedApplication, status: (word: string) => string): string[] {
  const { spec } = application;
  const source = firstSource(spec);
  return [
    qualifiedName(application),
    clusterText(spec),
    spec.destination.namespace ?? '',
    projectOf(spec),
    status(application.status?.sync?.status ?? 'Unknown'),
    status(application.status?.health?.status ?? 'Unknown'),
    syncPolicyText(spec),
    conditionsText(application.status),
    source?.repoURL ?? '',
    source?.path ?? '',
    source?.targetRevision ?? '',
  ];
}

// What the API server stores has passed its schema; a full parse of every application would cost more than the list itself.
const isListed = (object: KubeObject): object is KubeObject & Application =>
  isRecord(object['spec']) && isRecord(object['spec']['destination']);

export const appList = defineCommand({
  summary: 'List applications',
  examples: ['app list', 'app list -p payments -o name', 'app list -l team=payments -o json'],
  args: {
    output: choice('Output format (default wide)', ['wide', 'name', 'json', 'yaml'], { short: 'o' }),
    selector: option('Only those with these labels', { short: 'l', value: 'labels' }),
    project: options('Only those of this project; may be repeated', { short: 'p', value: 'name' }),
    repo: option('Only those with this repository', { short: 'r', value: 'url' }),
    path: option('Only those with this path', { short: 'P', value: 'path' }),
    cluster: option('Only those on this cluster, by URL or name', { short: 'c', value: 'cluster' }),
    appNamespace: option('Only those in this namespace; "*" for all', { short: 'N', value: 'name' }),
  },
  run: async (args, { ports, print, style, signal }) => {
    const { kube, namespace } = await ports();
    const wanted = args.output ?? 'wide';
    const scope = args.appNamespace === '*' ? undefined : (args.appNamespace ?? namespace);
    const table = openTable();
    if (wanted === 'wide') table.add(header);
    const objects: KubeObject[] = [];
    const listed = kube.listEach(
      applicationResource,
      { namespace: scope, labelSelector: args.selector, pageSize, withoutManagedFields: true, signal },
      (object) => {
        if (!isListed(object) || !matches(object, args)) return;
        if (wanted === 'wide') table.add(rowOf(object, style.status));
        else if (wanted === 'name') table.add([qualifiedName(object)]);
        else objects.push(object);
      },
    );
    await listed.catch((error: unknown) => {
      if (!isCoded(error, 'kube/not-found')) throw error;
      throw new CodedError('kube/kind-not-found', 'the cluster knows no Applications: apply install/crds first', {
        cause: error,
      });
    });
    if (wanted === 'json' || wanted === 'yaml') print(await formatValue(objects.map(withoutManagedFields), wanted));
    else print(table.text());
    return 0;
  },
});
