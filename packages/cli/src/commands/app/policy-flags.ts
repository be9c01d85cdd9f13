import {
  type Application,
  type Backoff,
  CodedError,
  type RetryStrategy,
  type SourceHydrator,
  type SyncPolicyAutomated,
} from '@tiphys/api';
import { type Flags, listFlag, numberFlag, switchFlag, textFlag } from './flag.ts';

type Spec = Application['spec'];

/** Where the objects go; naming the cluster one way takes the other away. */
export const destinationFlags: Flags<Spec> = {
  destServer: textFlag('API server URL of the cluster', (spec, server) => {
    const { namespace } = spec.destination;
    return { ...spec, destination: { server, ...(namespace !== undefined && { namespace }) } };
  }),
  destName: textFlag('Name of the cluster', (spec, name) => {
    const { namespace } = spec.destination;
    return { ...spec, destination: { name, ...(namespace !== undefined && { namespace }) } };
  }),
  destNamespace: textFlag('Namespace for objects that name none', (spec, namespace) => ({
    ...spec,
    destination: { ...spec.destination, namespace },
  })),
};

function withSyncPolicy(spec: Spec, word: string): Spec {
  const { automated, ...policy } = spec.syncPolicy ?? {};
  switch (word) {
    case 'none':
    case 'manual':
      return automated === undefined ? spec : { ...spec, syncPolicy: policy };
    case 'auto':
    case 'automated':
    case 'automatic': {
      // Whoever switches it on means that it is on, also where a rollback holds it.
      const kept = Object.entries(automated ?? {}).filter(([field]) => field !== 'enabled');
      return { ...spec, syncPolicy: { ...policy, automated: Object.fromEntries(kept) } };
    }
    default:
      throw new CodedError('cli/usage', `--sync-policy takes none, manual or automated, not "${word}"`);
  }
}

const inAutomated =
  (flag: string, set: (automated: SyncPolicyAutomated, value: boolean) => SyncPolicyAutomated) =>
  (spec: Spec, value: boolean): Spec => {
    const automated = spec.syncPolicy?.automated;
    if (automated === undefined)
      throw new CodedError('cli/usage', `--${flag} needs automated sync: add --sync-policy automated`);
    return { ...spec, syncPolicy: { ...spec.syncPolicy, automated: set(automated, value) } };
  };

const inRetry =
  <V>(set: (retry: RetryStrategy, value: V) => RetryStrategy) =>
  (spec: Spec, value: V): Spec => ({
    ...spec,
    syncPolicy: { ...spec.syncPolicy, retry: set(spec.syncPolicy?.retry ?? {}, value) },
  });

const inBackoff = <V>(set: (backoff: Backoff, value: V) => Backoff) =>
  inRetry((retry, value: V) => ({ ...retry, backoff: set(retry.backoff ?? {}, value) }));

/** `!Option=value` takes an option away; any other is added, in place of one of the same name. */
function withSyncOptions(spec: Spec, texts: readonly string[]): Spec {
  const nameOf = (option: string): string => option.split('=', 1)[0] ?? '';
  const removed = new Set(texts.filter((text) => text.startsWith('!')).map((text) => text.slice(1)));
  const added = texts.filter((text) => !text.startsWith('!'));
  const replaced = new Set(added.map(nameOf));
  const kept = (spec.syncPolicy?.syncOptions ?? []).filter(
    (option) => !removed.has(option) && !replaced.has(nameOf(option)),
  );
  return { ...spec, syncPolicy: { ...spec.syncPolicy, syncOptions: [...kept, ...added] } };
}

/** When and how to sync. */
export const policyFlags: Flags<Spec> = {
  project: textFlag('Project', (spec, project) => ({ ...spec, project })),
  syncPolicy: textFlag('none, manual or automated', withSyncPolicy),
  autoPrune: switchFlag(
    'Delete objects that left the source',
    inAutomated('auto-prune', (automated, prune) => ({ ...automated, prune })),
  ),
  selfHeal: switchFlag(
    'Sync again when objects drift',
    inAutomated('self-heal', (automated, selfHeal) => ({ ...automated, selfHeal })),
  ),
  allowEmpty: switchFlag(
    'Allow an empty source to prune all',
    inAutomated('allow-empty', (automated, allowEmpty) => ({ ...automated, allowEmpty })),
  ),
  syncOption: listFlag('Sync option such as CreateNamespace=true; "!..." takes it away', withSyncOptions),
  syncRetryLimit: numberFlag(
    'Attempts after the first',
    inRetry((retry, limit) => ({ ...retry, limit })),
  ),
  syncRetryRefresh: switchFlag(
    'Retry with the newest revision',
    inRetry((retry, refresh) => ({ ...retry, refresh })),
  ),
  syncRetryBackoffDuration: textFlag(
    'First wait, such as 5s',
    inBackoff((backoff, duration) => ({ ...backoff, duration })),
  ),
  syncRetryBackoffFactor: numberFlag(
    'Factor of each further wait',
    inBackoff((backoff, factor) => ({ ...backoff, factor })),
  ),
  syncRetryBackoffMaxDuration: textFlag(
    'Longest wait',
    inBackoff((backoff, maxDuration) => ({ ...backoff, maxDuration })),
  ),
  revisionHistoryLimit: numberFlag('Entries kept in the history', (spec, revisionHistoryLimit) => ({
    ...spec,
    revisionHistoryLimit,
  })),
};

const noHydrator: SourceHydrator = {
  drySource: { repoURL: '', path: '', targetRevision: '' },
  syncSource: { targetBranch: '', path: '' },
};

const inHydrator =
  (set: (hydrator: SourceHydrator, value: string) => SourceHydrator) =>
  (spec: Spec, value: string): Spec => ({ ...spec, sourceHydrator: set(spec.sourceHydrator ?? noHydrator, value) });

/** Rendered manifests in a branch. */
export const hydratorFlags: Flags<Spec> = {
  drySourceRepo: textFlag(
    'Repository that is rendered',
    inHydrator((hydrator, repoURL) => ({ ...hydrator, drySource: { ...hydrator.drySource, repoURL } })),
  ),
  drySourcePath: textFlag(
    'Folder that is rendered',
    inHydrator((hydrator, path) => ({ ...hydrator, drySource: { ...hydrator.drySource, path } })),
  ),
  drySourceRevision: textFlag(
    'Revision that is rendered',
    inHydrator((hydrator, targetRevision) => ({ ...hydrator, drySource: { ...hydrator.drySource, targetRevision } })),
  ),
  syncSourceBranch: textFlag(
    'Branch that is synced',
    inHydrator((hydrator, targetBranch) => ({ ...hydrator, syncSource: { ...hydrator.syncSource, targetBranch } })),
  ),
  syncSourcePath: textFlag(
    'Folder that is synced',
    inHydrator((hydrator, path) => ({ ...hydrator, syncSource: { ...hydrator.syncSource, path } })),
  ),
  hydrateToBranch: textFlag(
    'Branch that rendered manifests go to first',
    inHydrator((hydrator, targetBranch) => ({ ...hydrator, hydrateTo: { targetBranch } })),
  ),
};
