import type { Clock, KubeObject, Logger } from '@tiphys/api';
import type { ObjectStore } from '../store/object-store.ts';
import type { DuplicateField } from '../schema/json-duplicates.ts';
import type { ResourceType } from '../schema/types.ts';
import type { StatusError } from '../schema/status-error.ts';
import type { TypeRegistry } from './type-registry.ts';

/** One request as the operations see it: for the rules that tests set up. `name` is empty for lists and generated names. */
export type Access = Readonly<{
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  user: string;
}>;

/** Returns what to refuse a request with, or undefined to let it pass. */
export type RefusalRule = (access: Access) => StatusError | undefined;

/** What every operation of the cluster works on. */
export type Cluster = Readonly<{
  store: ObjectStore;
  types: TypeRegistry;
  clock: Clock;
  log: Logger;
  /** 0 <= x < 1; for generated names and addresses. */
  random: () => number;
}>;

/** What a kind's own rules may look at. */
export type Preparation = Readonly<{
  cluster: Cluster;
  namespace: string;
  dryRun: boolean;
  /** A new object as it came, before defaulting. */
  sent?: KubeObject;
}>;

/** One object of one served type. */
export type Target = Readonly<{ type: ResourceType; namespace: string; name: string }>;

/** How a write is to be done (metav1.CreateOptions, UpdateOptions and PatchOptions). */
export type WriteOptions = Readonly<{
  dryRun: boolean;
  manager: string;
  fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Server-side apply: take fields from other managers. */
  force: boolean;
  /** Keys that the request's JSON has twice. */
  repeated?: readonly DuplicateField[];
  /** A last word on what is about to be written; throws when who asks may not. */
  mayWrite?: (target: Target, next: KubeObject, live: KubeObject | undefined) => void;
}>;

/** Options of the cluster's own controllers. */
export const ownWrite = (manager: string): WriteOptions => ({
  dryRun: false,
  manager,
  fieldValidation: 'Ignore',
  force: true,
});

/** What a write did. The object is in the form of the version that was asked for. */
export type Written = Readonly<{ object: KubeObject; warnings: readonly string[]; created: boolean }>;

/** The time as Kubernetes writes it: to the second. */
export const timeText = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');

/** The time to the microsecond (metav1.MicroTime). */
export const microTimeText = (time: Date): string => time.toISOString().replace('Z', '000Z');
