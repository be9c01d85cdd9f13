import type { KubeObject, ResourceKey } from './object.ts';
import { keyOf } from './object.ts';

/** `application.resourceTrackingMethod` of argocd-cm. */
export type TrackingMethod = 'annotation' | 'label' | 'annotation+label';

export const trackingAnnotation = 'argocd.argoproj.io/tracking-id';
export const installationAnnotation = 'argocd.argoproj.io/installation-id';
/** Default of `application.instanceLabelKey`. */
export const defaultInstanceLabel = 'app.kubernetes.io/instance';

/** How this installation marks what it manages. */
export type TrackingSettings = Readonly<{
  method: TrackingMethod;
  instanceLabelKey: string;
  /** `installationID` of argocd-cm; empty when unset. */
  installationId: string;
}>;

/** A tracking-id taken apart: the application's name (`<ns>_<name>` outside the control-plane namespace) and the object it was written for. */
export type TrackingId = Readonly<{ application: string; key: ResourceKey }>;

/** `<app>:<group>/<Kind>:<namespace>/<name>`. */
export const formatTrackingId = ({ application, key }: TrackingId): string =>
  `${application}:${key.group}/${key.kind}:${key.namespace}/${key.name}`;

/** Takes a tracking-id apart; undefined when it has not that form. Names of RBAC objects may hold colons. */
export function parseTrackingId(text: string): TrackingId | undefined {
  const parts = /^([^:]+):([^:/]*)\/([^:/]+):([^/]*)\/(.+)$/.exec(text);
  if (parts === null) return undefined;
  const [, application = '', group = '', kind = '', namespace = '', name = ''] = parts;
  return { application, key: { group, kind, namespace, name } };
}

/**
 * The application that an object says it belongs to, or undefined.
 * An annotation written for another object (copied by a controller) counts as none (contract 2.4), and so does a foreign installation's mark.
 * The mark of a cluster-scoped object holds its application's namespace, which says nothing about the object.
 */
export function trackedBy(object: KubeObject, settings: TrackingSettings): string | undefined {
  const { annotations = {}, labels = {} } = object.metadata;
  if ((annotations[installationAnnotation] ?? '') !== settings.installationId) return undefined;
  if (settings.method === 'label') return labels[settings.instanceLabelKey];
  const id = parseTrackingId(annotations[trackingAnnotation] ?? '');
  if (id === undefined) return undefined;
  const key = keyOf(object);
  const same =
    id.key.group === key.group &&
    id.key.kind === key.kind &&
    id.key.name === key.name &&
    (key.namespace === '' || id.key.namespace === key.namespace);
  return same ? id.application : undefined;
}

const isDefinition = (object: KubeObject): boolean => object.kind === 'CustomResourceDefinition';

/** Longest value of a label. */
const maxLabel = 63;

/** As much of a name as a label holds; a label ends in a letter or digit. */
const asLabel = (name: string): string => name.slice(0, maxLabel).replace(/[^a-zA-Z0-9]+$/, '');

/** Whose mark an object gets: the application's name, and the namespace that stands in the mark of a cluster-scoped object. */
export type TrackingOwner = Readonly<{ application: string; destinationNamespace: string }>;

/** Adds the tracking marks for an application. Custom resource definitions never get any (contract 2.4). */
export function withTracking(
  object: KubeObject,
  owner: string | TrackingOwner,
  settings: TrackingSettings,
): KubeObject {
  if (isDefinition(object)) return object;
  const { application, destinationNamespace } =
    typeof owner === 'string' ? { application: owner, destinationNamespace: '' } : owner;
  const { metadata } = object;
  const marks: Record<string, string> = {};
  if (settings.installationId !== '') marks[installationAnnotation] = settings.installationId;
  if (settings.method !== 'label') {
    const key = keyOf(object);
    const namespace = key.namespace === '' ? destinationNamespace : key.namespace;
    marks[trackingAnnotation] = formatTrackingId({ application, key: { ...key, namespace } });
  }
  const label = settings.method === 'annotation+label' ? asLabel(application) : application;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(Object.keys(marks).length > 0 && { annotations: { ...metadata.annotations, ...marks } }),
      ...(settings.method !== 'annotation' && { labels: { ...metadata.labels, [settings.instanceLabelKey]: label } }),
    },
  };
}
