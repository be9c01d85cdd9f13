/** Where an object lies: the resource as `plural.group` (the core group has no dot), the namespace (empty for cluster scope) and the name. */
export type Place = Readonly<{ resource: string; namespace: string; name: string }>;
