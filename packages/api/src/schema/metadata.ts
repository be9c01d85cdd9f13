import type { ObjectMeta } from '../object.ts';
import { int64, list, map, object, optional, type Schema, text, time } from './schema.ts';

// Only what the product reads is declared: the API server owns this type. The wire numbers are the published ones of meta/v1.
const declared = object('ObjectMeta', {
  name: optional(1, text, 'Name, unique within the namespace.'),
  generateName: optional(2, text, 'Prefix of a name that the API server completes.'),
  namespace: optional(3, text, 'Namespace.'),
  uid: optional(5, text, 'Identity of this very object; the API server sets it.'),
  resourceVersion: optional(6, text, 'Opaque version for optimistic updates and watches.'),
  generation: optional(7, int64, 'Counts changes of the desired state.'),
  creationTimestamp: optional(8, time, 'When the object was created.'),
  deletionTimestamp: optional(9, time, 'When deletion was asked for; the object goes once its finalizers are gone.'),
  deletionGracePeriodSeconds: optional(10, int64, 'Seconds that the object is given to end.'),
  labels: optional(11, map(text), 'Labels.'),
  annotations: optional(12, map(text), 'Annotations.'),
  finalizers: optional(14, list(text), 'What has to happen before the object may go.'),
});

// Owner references and managed fields pass through unread, hence the hand-written type with its wider fields.
const open = new Map(declared.node.fields);
for (const name of ['ownerReferences', 'managedFields', 'selfLink'])
  open.set(name, { node: { kind: 'json' }, doc: 'Kept by the API server.', number: undefined, required: false });

/** metadata of a Kubernetes object. */
export const objectMeta: Schema<ObjectMeta> = { node: { ...declared.node, fields: open } };
