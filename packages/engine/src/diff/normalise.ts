import { canonicalJson, groupKindText, gvkOf, isRecord, listAt, type KubeObject } from '@tiphys/api';
import { marks } from '../sync/marks.ts';
import { withoutKeys } from './without-keys.ts';

/** `resource.compareoptions` of argocd-cm (contract 4). */
export type CompareOptions = Readonly<{
  /** Rules of aggregated cluster roles are filled in by a controller; leave them out. */
  ignoreAggregatedRoles: boolean;
  /** Where `status` is left out of the comparison: everywhere, for custom resource definitions, nowhere. */
  ignoreResourceStatusField: 'all' | 'crd' | 'none';
}>;

export const defaultCompareOptions: CompareOptions = { ignoreAggregatedRoles: false, ignoreResourceStatusField: 'all' };

type Draft = { apiVersion: string; kind: string; metadata: Record<string, unknown>; [field: string]: unknown };

const comparedMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

const isEmptyMap = (value: unknown): boolean => isRecord(value) && Object.keys(value).length === 0;

function comparableMetadata(object: KubeObject): Record<string, unknown> {
  const metadata: Record<string, unknown> = {};
  for (const field of comparedMetadata) {
    const value = object.metadata[field];
    if (value !== undefined) metadata[field] = value;
  }
  const { annotations } = object.metadata;
  if (annotations?.[marks.lastApplied] !== undefined) {
    metadata['annotations'] = withoutKeys(annotations, marks.lastApplied);
  }
  // A server stores no empty maps here, whatever a manifest says.
  return withoutKeys(metadata, ...['annotations', 'labels'].filter((field) => isEmptyMap(metadata[field])));
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** Go's decoder passes over line breaks; the server writes none. */
const withoutBreaks = (value: unknown): unknown => (typeof value === 'string' ? value.replace(/[\r\n]/g, '') : value);

/** `stringData` wins over `data`, as in the API server. */
export function foldSecret(secret: KubeObject): Record<string, unknown> {
  const { data, stringData } = secret;
  const folded = {
    ...(isRecord(data) ? Object.fromEntries(Object.entries(data).map(([k, v]) => [k, withoutBreaks(v)])) : {}),
    ...(isRecord(stringData)
      ? Object.fromEntries(Object.entries(stringData).map(([k, v]) => [k, typeof v === 'string' ? base64(v) : v]))
      : {}),
  };
  return Object.keys(folded).length === 0 ? {} : { data: folded };
}

const sorted = (values: readonly unknown[]): unknown[] =>
  [...values].sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));

/** The order of addresses and ports of Endpoints says nothing; a port without protocol is TCP. */
function sortEndpoints(draft: Draft): void {
  if (!Array.isArray(draft['subsets'])) return;
  draft['subsets'] = sorted(
    draft['subsets'].filter(isRecord).map((subset) => ({
      ...subset,
      ...(subset['addresses'] !== undefined && { addresses: sorted(listAt(subset, 'addresses')) }),
      ...(subset['notReadyAddresses'] !== undefined && {
        notReadyAddresses: sorted(listAt(subset, 'notReadyAddresses')),
      }),
      ...(subset['ports'] !== undefined && {
        ports: sorted(listAt(subset, 'ports').map((port) => (isRecord(port) ? { protocol: 'TCP', ...port } : port))),
      }),
    })),
  );
}

type Normalise = (draft: Draft, options: CompareOptions) => void;

const byKind: Readonly<Record<string, Normalise>> = {
  Secret: (draft) => {
    const folded = foldSecret(draft);
    delete draft['data'];
    delete draft['stringData'];
    Object.assign(draft, folded);
  },
  Endpoints: sortEndpoints,
  'apps/StatefulSet': (draft) => {
    const { spec } = draft;
    if (!isRecord(spec) || !Array.isArray(spec['volumeClaimTemplates'])) return;
    // Every template has a status of its own, which says nothing; its kind is the server's, whatever a manifest calls it.
    const templates = listAt(spec, 'volumeClaimTemplates').map((one) =>
      isRecord(one) ? withoutKeys(one, 'apiVersion', 'kind', 'status') : one,
    );
    draft['spec'] = { ...spec, volumeClaimTemplates: templates };
  },
  'rbac.authorization.k8s.io/ClusterRole': (draft, { ignoreAggregatedRoles }) => {
    if (ignoreAggregatedRoles && draft['aggregationRule'] !== undefined && draft['aggregationRule'] !== null)
      delete draft['rules'];
  },
};

/**
 * An object as the comparison sees it: without identity, bookkeeping and status, and with the forms of its kind made equal
 * (contract 4). Apply it to both sides.
 */
export function normalise(object: KubeObject, options: CompareOptions): KubeObject {
  const draft: Draft = { ...object, metadata: comparableMetadata(object) };
  const definition = object.kind === 'CustomResourceDefinition';
  if (options.ignoreResourceStatusField === 'all' || (options.ignoreResourceStatusField === 'crd' && definition))
    delete draft['status'];
  byKind[groupKindText(gvkOf(object))]?.(draft, options);
  return draft;
}
