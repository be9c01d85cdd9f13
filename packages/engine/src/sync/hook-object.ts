import { keyOf, type KubeObject, type TrackingSettings, withTracking } from '@tiphys/api';
import { hookFinalizer, marks } from './marks.ts';
import type { HookTask, SyncRequest } from './types.ts';

/** Whether our finalizer holds an object. */
export const hasFinalizer = (object: KubeObject | undefined): boolean =>
  object?.metadata.finalizers?.includes(hookFinalizer) === true;

/** Kinds that end: their hooks are held until the result is stored. */
const endingKinds = new Set(['batch/Job', '/Pod', 'argoproj.io/Workflow']);

/** Which attempt of which operation a hook belongs to. */
export const operationMark = ({ startedAt, retryCount }: Pick<SyncRequest, 'startedAt' | 'retryCount'>): string =>
  `${startedAt}/${retryCount}`;

/** On whose behalf a hook runs, and what names it. */
export type HookIdentity = Readonly<{
  /** The application's tracking name. */
  application: string;
  tracking: TrackingSettings;
  revision: string;
  /** RFC 3339; part of a generated name. */
  startedAt: string;
}>;

/** `<generateName><rev7>-<phase>-<seconds>` (contract 2.5): the same whenever the operation is taken up again. */
function hookName(object: KubeObject, phase: HookTask['phase'], { revision, startedAt }: HookIdentity): string {
  const { name = '', generateName = '' } = object.metadata;
  if (name !== '') return name;
  const seconds = Math.floor(new Date(startedAt).getTime() / 1000);
  return `${generateName}${[revision.slice(0, 7), phase, String(seconds)]
    .filter((part) => part !== '')
    .join('-')
    .toLowerCase()}`;
}

/** A hook as it is created: with its final name, tracked, and held by our finalizer where it is of a kind that ends. */
export function namedHook(object: KubeObject, phase: HookTask['phase'], identity: HookIdentity): KubeObject {
  const key = keyOf(object);
  const held = endingKinds.has(`${key.group}/${key.kind}`);
  const { metadata } = object;
  const finalizers = [...new Set([...(metadata.finalizers ?? []), ...(held ? [hookFinalizer] : [])])];
  const named: KubeObject = {
    ...object,
    metadata: {
      ...metadata,
      name: hookName(object, phase, identity),
      ...(finalizers.length > 0 && { finalizers }),
    },
  };
  return withTracking(named, identity.application, identity.tracking);
}

/** A hook with the mark of the attempt that runs it: a restart that finds it does not run it again. */
export const markedHook = (object: KubeObject, mark: string): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [marks.operation]: mark } },
});
