import type { KubeObject } from '@tiphys/api';
import { formatContinueToken, parseContinueToken, TokenFault, type ContinueToken } from '../../store/continue-token.ts';
import {
  isSelectable,
  matchesFields,
  notSelectable,
  parseFieldSelector,
  type FieldRequirement,
} from '../../store/field-selector.ts';
import { meetsLabels, parseLabelRequirements, type LabelRequirement } from '../../store/label-selector.ts';
import { badRequest, StatusError } from '../../schema/status-error.ts';
import type { ResourceType } from '../../schema/types.ts';
import type { Cluster, Target } from '../cluster.ts';
import { fromStored } from '../conversion.ts';
import { expired, fieldError, invalidOptions, notFound, Refusal, tooOld } from '../refusal.ts';
import { storageKey } from '../type-registry.ts';
import { liveObject } from './update.ts';

/** What a list or watch is restricted to. */
export type Selection = Readonly<{
  namespace: string;
  /** One object by name (a list or watch of a single one). */
  labels: readonly LabelRequirement[];
  fields: readonly FieldRequirement[];
}>;

export type ListOptions = Readonly<{
  /** 0: no limit. */
  limit: number;
  continueToken: string;
  resourceVersion: string;
  resourceVersionMatch: string;
}>;

/** One page: objects in the form of the requested version, the revision they are consistent at, and how to go on. */
export type Page = Readonly<{
  items: readonly KubeObject[];
  resourceVersion: string;
  continueToken: string;
  remaining: number | undefined;
}>;

/** Reads the selectors of a query. */
export function readSelection(query: URLSearchParams, type: ResourceType, namespace: string): Selection {
  try {
    const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
    const key = storageKey(type);
    for (const { path } of fields)
      if (!isSelectable(key, path, type.custom?.selectableFields))
        throw badRequest(notSelectable(key, path, type.custom !== undefined));
    return { namespace, labels: parseLabelRequirements(query.get('labelSelector') ?? ''), fields };
  } catch (error) {
    if (error instanceof StatusError || !(error instanceof Error)) throw error;
    throw badRequest(error.message);
  }
}

/** Whether a stored object belongs to a selection. */
export const isSelected = (object: KubeObject, { namespace, labels, fields }: Selection): boolean =>
  (namespace === '' || object.metadata.namespace === namespace) &&
  meetsLabels(labels, object.metadata.labels) &&
  matchesFields(fields, object);

/**
 * One object by name.
 * @throws Refusal 404
 */
export function read(cluster: Cluster, target: Target): KubeObject {
  const live = liveObject(cluster, target);
  if (live === undefined) throw notFound(target.type, target.name);
  return live;
}

const keyOf = ({ metadata: { namespace = '', name = '' } }: KubeObject): string =>
  namespace === '' ? name : `${namespace}/${name}`;

const wrongMatch = (detail: string): StatusError =>
  invalidOptions('ListOptions', fieldError('resourceVersionMatch', 'FieldValueForbidden', detail));

function checkMatch({ resourceVersion, resourceVersionMatch, continueToken }: ListOptions): void {
  if (resourceVersionMatch === '') return;
  if (resourceVersion === '')
    throw wrongMatch('Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (continueToken !== '') throw wrongMatch('Forbidden: resourceVersionMatch is forbidden when continue is provided');
  if (resourceVersionMatch === 'Exact' && resourceVersion === '0')
    throw wrongMatch('Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
}

/** The number of a resourceVersion; empty counts as 0. */
export function versionNumber(text: string): number {
  if (text === '') return 0;
  if (!/^\d+$/.test(text))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

const fromTheFuture = (wanted: number, current: number): Refusal =>
  new Refusal({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    details: { retryAfterSeconds: 1 },
  });

const staleToken =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

type Snapshot = Readonly<{ objects: readonly KubeObject[]; revision: number; after: string }>;

function tokenOf(text: string): ContinueToken {
  try {
    return parseContinueToken(text);
  } catch (error) {
    if (!(error instanceof TokenFault)) throw error;
    throw badRequest(`invalid continue token: continue key is not valid: ${error.message}`);
  }
}

function snapshot(
  cluster: Cluster,
  key: string,
  { options, selection: { namespace } }: Readonly<{ options: ListOptions; selection: Selection }>,
): Snapshot {
  const { store } = cluster;
  const within = (objects: readonly KubeObject[] | undefined): readonly KubeObject[] | undefined =>
    namespace === '' ? objects : objects?.filter(({ metadata }) => metadata.namespace === namespace);
  if (options.continueToken !== '') {
    const token = tokenOf(options.continueToken);
    const objects = within(store.listAt(key, token.revision));
    if (objects === undefined) throw expired(staleToken);
    return { objects, revision: token.revision, after: token.after };
  }
  const wanted = versionNumber(options.resourceVersion);
  if (wanted > store.revision) throw fromTheFuture(wanted, store.revision);
  // A limit with a version but no match means "exactly this version", for old clients.
  const exact =
    options.resourceVersionMatch === 'Exact' ||
    (options.resourceVersionMatch === '' && options.limit > 0 && wanted > 0);
  if (!exact) return { objects: store.list(key, namespace), revision: store.revision, after: '' };
  const objects = within(store.listAt(key, wanted));
  if (objects === undefined) throw tooOld(wanted, store.revision);
  return { objects, revision: wanted, after: '' };
}

/** Where in a list in key order the objects after a key begin. */
function firstAfter(objects: readonly KubeObject[], key: string): number {
  if (key === '') return 0;
  let [low, high] = [0, objects.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const object = objects[middle];
    if (object !== undefined && keyOf(object) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A page of a list. Pages of one list show the state of the same revision.
 * @throws Refusal 410 when that revision is no longer known
 */
export function list(
  cluster: Cluster,
  type: ResourceType,
  request: Readonly<{ selection: Selection; options: ListOptions }>,
): Page {
  const { selection, options } = request;
  checkMatch(options);
  const { objects, revision, after } = snapshot(cluster, storageKey(type), request);
  const start = firstAfter(objects, after);
  const { limit } = options;
  const items: KubeObject[] = [];
  let next = start;
  // One more than fits says whether there is another page.
  for (; next < objects.length; next++) {
    const object = objects[next];
    if (object === undefined || !isSelected(object, selection)) continue;
    if (limit > 0 && items.length === limit) break;
    items.push(object);
  }
  const last = items.at(-1);
  const more = last !== undefined && next < objects.length;
  const { labels, fields } = selection;
  const filtered = labels.length > 0 || fields.length > 0;
  return {
    items: items.map((object) => fromStored(object, type)),
    resourceVersion: String(revision),
    continueToken: more ? formatContinueToken({ revision, after: keyOf(last) }) : '',
    remaining: more && !filtered ? objects.length - start - items.length : undefined,
  };
}
