/** A JSON value as the codec reads it: integers beyond 2^53 are bigint, everything else as in JavaScript. */
export type Json =
  null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** The owner of an object (metav1.OwnerReference). */
export type OwnerReference = Readonly<{
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}>;

/** Who set which fields (metav1.ManagedFieldsEntry); `fieldsV1` is the set in FieldsV1 form. */
export type ManagedFieldsEntry = Readonly<{
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: { readonly [key: string]: Json | undefined };
  subresource?: string;
}>;

/** metav1.ObjectMeta. Times are RFC 3339 strings; `resourceVersion` is opaque. */
export type ObjectMeta = {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string | null;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
};

/** Any Kubernetes object: the four fields that all have, and the rest as JSON. Values are never changed in place. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
};

/** API group (empty for the core group) and kind. */
export type GroupKind = Readonly<{ group: string; kind: string }>;

/** Group, version and kind. */
export type GroupVersionKind = GroupKind & Readonly<{ version: string }>;

/** One object by what it is called; `namespace` is empty for cluster-scoped ones. The version is no part of an identity. */
export type ResourceKey = GroupKind & Readonly<{ namespace: string; name: string }>;

/** Splits `apps/v1` into group and version; `v1` has the empty group. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The `apiVersion` of a group and version: `apps/v1`, or `v1` for the core group. */
export const formatApiVersion = (group: string, version: string): string =>
  group === '' ? version : `${group}/${version}`;

/** Group, version and kind of an object. */
export const gvkOf = (object: Pick<KubeObject, 'apiVersion' | 'kind'>): GroupVersionKind => ({
  ...parseApiVersion(object.apiVersion),
  kind: object.kind,
});

/** `group/Kind`, or `Kind` alone for the core group: the form of health and customization keys. */
export const groupKindText = ({ group, kind }: GroupKind): string => (group === '' ? kind : `${group}/${kind}`);

/** The identity of an object. */
export const keyOf = (object: KubeObject): ResourceKey => ({
  group: parseApiVersion(object.apiVersion).group,
  kind: object.kind,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
});

/** A resource key as a string, for maps: `group/Kind/namespace/name` with empty parts kept. */
export const keyText = (key: ResourceKey): string => `${key.group}/${key.kind}/${key.namespace}/${key.name}`;

/** How people read an object's name: `Kind namespace/name`, with the group in front of the kind where there is one. */
export const describeKey = (key: ResourceKey): string =>
  `${groupKindText(key)} ${key.namespace === '' ? key.name : `${key.namespace}/${key.name}`}`;

/** Whether a value is a JSON object (not null, not an array). */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a path of keys; undefined where a step is missing or no object. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else if (isRecord(here)) here = here[step];
    else return undefined;
  }
  return here;
}

/** The string at a path, or undefined when there is none or it is of another type. */
export function stringAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** The number at a path (a bigint is converted), or undefined. */
export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = at(value, ...path);
  if (typeof found === 'bigint') return Number(found);
  return typeof found === 'number' ? found : undefined;
}

/** The list at a path; empty when there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
