import type { KubeObject } from '@tiphys/api';
import { KubeError } from '@tiphys/kube';
import { withoutKeys } from '../../diff/without-keys.ts';
import { createdObject, sentObject } from './client-side-patch.ts';

/**
 * Whether to delete and create may get past a refusal: the API server understood the object and does not allow the change. What it
 * cannot read, or somebody forbids, it refuses in either way.
 */
const refusesChange = ({ code, detail }: KubeError): boolean => code === 'kube/invalid' && detail.reason === 'Invalid';

/** A definition or a namespace is never deleted to be created again: everything in it, whoever made that, would go with it. */
const holdsOthers = ({ kind, apiVersion }: KubeObject): boolean =>
  kind === 'CustomResourceDefinition' || (kind === 'Namespace' && apiVersion === 'v1');

/** Whether force may answer the refusal of an update. */
export const mayForce = (live: KubeObject, refused: unknown): refused is KubeError =>
  refused instanceof KubeError && refusesChange(refused) && !holdsOthers(live);

/** The object under a name that nobody has, to try its creation while the one of its name stands. */
export function elsewhere(object: KubeObject): KubeObject {
  const created = createdObject(object);
  const metadata = { ...withoutKeys(created.metadata, 'name'), generateName: `${object.metadata.name ?? ''}-` };
  return { ...created, metadata };
}

const cannotBeTried = ({ message }: KubeError): boolean => message.includes('does not support dry run');

/**
 * Whether a creation may fail only because the object still stands: its name, its ports, its place in a quota go with it. What
 * forbids a creation on other grounds would forbid it afterwards too, and also that what was there is created again.
 */
const mayPassLater = (creation: KubeError): boolean =>
  refusesChange(creation) ||
  creation.code === 'kube/conflict' ||
  creation.code === 'kube/already-exists' ||
  (creation.code === 'kube/forbidden' && creation.message.includes('exceeded quota')) ||
  cannotBeTried(creation);

/** A patch to what cannot be read is refused as one that is not allowed; a creation says which of the two it is. */
const isUnreadable = (error: KubeError): boolean => error.detail.status === 400 && !cannotBeTried(error);

/**
 * Whether the object is at fault, and not the change to it: it cannot be read, or is refused for a field that was refused in the
 * update too. Any other refusal may be due to the object that still stands (its ports, its place in a quota), and goes with that.
 */
function isFaulty(update: KubeError, creation: KubeError): boolean {
  if (isUnreadable(creation)) return true;
  const fields = new Set(update.detail.causes.map(({ field }) => field));
  return refusesChange(creation) && creation.detail.causes.some(({ field }) => fields.has(field));
}

/** Why the object stays as it is, after its creation was tried elsewhere and refused; undefined when that says nothing against it. */
export function whyNotForced(update: KubeError, creation: unknown): Error | undefined {
  if (!(creation instanceof KubeError)) return creation instanceof Error ? creation : update;
  if (isFaulty(update, creation)) return update;
  return mayPassLater(creation) ? undefined : creation;
}

/** What ran, or was run once, is not run again to bring it back. */
const runsOnce = new Set(['Job', 'Pod']);

/** An object as it was, to be created again; undefined where that would be more than it was. */
export function asItWas(live: KubeObject): KubeObject | undefined {
  if (runsOnce.has(live.kind)) return undefined;
  const { annotations } = live.metadata;
  const sent = sentObject(live);
  const metadata = {
    ...withoutKeys(sent.metadata, 'deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink'),
    ...(annotations !== undefined && { annotations }),
  };
  return { ...withoutKeys(sent, 'status'), apiVersion: sent.apiVersion, kind: sent.kind, metadata };
}
