import {
  type Application,
  CodedError,
  keyOf,
  type KubeObject,
  type Operation,
  sourcesOf,
  stringifyJson,
  type SyncOperationResource,
} from '@tiphys/api';
import { pairOf } from './flag-values.ts';
import { chosenRevisions, type RevisionFlags } from './revision-flags.ts';
import { isSelected, resourceFilter } from './select.ts';

/** What the flags of `app sync` say about an operation. */
export type SyncFlags = RevisionFlags &
  Readonly<{
    prune?: boolean | undefined;
    dryRun?: boolean | undefined;
    force?: boolean | undefined;
    replace?: boolean | undefined;
    serverSide?: boolean | undefined;
    applyOutOfSyncOnly?: boolean | undefined;
    resource: readonly string[];
    strategy?: 'apply' | 'hook' | undefined;
    info: readonly string[];
    retryLimit?: number | undefined;
    retryRefresh?: boolean | undefined;
    retryBackoffDuration?: string | undefined;
    retryBackoffMaxDuration?: string | undefined;
    retryBackoffFactor?: number | undefined;
  }>;

type Chosen = Readonly<{ group?: string; kind?: string; namespace?: string; name?: string }>;

const operationResource = ({ group = '', kind = '', namespace = '', name = '' }: Chosen): SyncOperationResource => ({
  group,
  kind,
  name,
  ...(namespace !== '' && { namespace }),
});

function resourcesOf({ status }: Application, texts: readonly string[]): readonly SyncOperationResource[] | undefined {
  if (texts.length === 0) return undefined;
  const filters = texts.map(resourceFilter);
  const chosen = (status?.resources ?? []).filter((resource) => isSelected(filters, resource));
  if (chosen.length === 0)
    throw new CodedError('operation/not-found', `no object of the application matches ${texts.join(', ')}`);
  return chosen.map(operationResource);
}

/** The desired objects that carry one of the labels. @throws CodedError cli/usage, operation/not-found when there is none */
export function labelled(desired: readonly KubeObject[], labels: readonly string[]): readonly SyncOperationResource[] {
  const wanted = labels.flatMap((text) => text.split(',')).map((text) => pairOf(text, 'label'));
  const chosen = desired.filter(({ metadata }) => wanted.some(([key, value]) => metadata.labels?.[key] === value));
  if (chosen.length === 0)
    throw new CodedError('operation/not-found', `no object of the application has the label ${labels.join(' or ')}`);
  return chosen.map((object) => operationResource(keyOf(object)));
}

/** Manifests in the status of an object: the API server takes no object beyond 1.5 MiB. */
const maxLocalBytes = 1024 * 1024;

/** Manifests as an operation carries them. @throws CodedError api/too-large */
export function localManifests(desired: readonly KubeObject[]): readonly string[] {
  const manifests = desired.map((object) => stringifyJson(object));
  const bytes = manifests.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= maxLocalBytes) return manifests;
  throw new CodedError(
    'api/too-large',
    `--local: the manifests have ${Math.ceil(bytes / 1024)} KiB; an operation takes ${maxLocalBytes / 1024} KiB`,
  );
}

/** The revisions for an application with several sources; one with a single source takes `revision`. */
function revisionsOf(application: Application, flags: SyncFlags): readonly string[] | undefined {
  if (flags.revisions.length === 0) return undefined;
  const chosen = chosenRevisions(application, { ...flags, revision: undefined });
  return sourcesOf(application.spec).map(({ targetRevision = '' }, index) => chosen.get(index) ?? targetRevision);
}

function optionsOf({ spec }: Application, flags: SyncFlags): readonly string[] | undefined {
  const asked = [
    flags.applyOutOfSyncOnly === true ? 'ApplyOutOfSyncOnly=true' : '',
    flags.replace === true ? 'Replace=true' : '',
    flags.serverSide === true ? 'ServerSideApply=true' : '',
  ].filter((text) => text !== '');
  return asked.length === 0 ? undefined : [...(spec.syncPolicy?.syncOptions ?? []), ...asked];
}

function retryOf(flags: SyncFlags): Operation['retry'] {
  const {
    retryLimit,
    retryRefresh,
    retryBackoffDuration: duration,
    retryBackoffMaxDuration: maxDuration,
    retryBackoffFactor: factor,
  } = flags;
  if (retryLimit === undefined) return undefined;
  const backoff = {
    ...(duration !== undefined && { duration }),
    ...(maxDuration !== undefined && { maxDuration }),
    ...(factor !== undefined && { factor }),
  };
  return {
    limit: retryLimit,
    ...(retryRefresh === true && { refresh: true }),
    ...(Object.keys(backoff).length > 0 && { backoff }),
  };
}

/** What had to be rendered for an operation: objects with a label, manifests of a local folder. */
export type Rendered = Readonly<{
  resources?: readonly SyncOperationResource[];
  manifests?: readonly string[];
}>;

/** The operation that the flags describe, for one application. */
export function operationOf(
  application: Application,
  flags: SyncFlags,
  rendered: Rendered = {},
): Pick<Operation, 'sync' | 'retry' | 'info'> {
  const force = flags.force === true ? { force: true } : {};
  const resources = rendered.resources ?? resourcesOf(application, flags.resource);
  const revisions = revisionsOf(application, flags);
  const syncOptions = optionsOf(application, flags);
  const retry = retryOf(flags);
  const info = flags.info.map((text) => pairOf(text, 'info')).map(([name, value]) => ({ name, value }));
  return {
    sync: {
      ...(flags.revision !== undefined && { revision: flags.revision }),
      ...(revisions !== undefined && { revisions }),
      ...(flags.prune === true && { prune: true }),
      ...(flags.dryRun === true && { dryRun: true }),
      syncStrategy: flags.strategy === 'apply' ? { apply: force } : { hook: force },
      ...(resources !== undefined && { resources }),
      ...(rendered.manifests !== undefined && { manifests: rendered.manifests }),
      ...(syncOptions !== undefined && { syncOptions }),
    },
    ...(retry !== undefined && { retry }),
    ...(info.length > 0 && { info }),
  };
}
