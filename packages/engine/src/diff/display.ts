import { stringifyYaml, type KubeObject, type ResourceKey } from '@tiphys/api';
import { marks } from '../sync/marks.ts';
import type { Change } from './change.ts';
import { compareObject, type CompareSettings } from './compare-object.ts';
import { withLiveIgnored, ignoredPointers } from './ignore.ts';
import { lineDiff } from './line-diff.ts';
import { maskSecrets } from './mask.ts';
import { withoutKeys } from './without-keys.ts';

/** One object as it is and as a sync would leave it; Secrets are masked. Undefined: not there. */
export type Predicted = Readonly<{
  key: ResourceKey;
  live: KubeObject | undefined;
  predicted: KubeObject | undefined;
  modified: boolean;
}>;

/** Bookkeeping says nothing to whoever reads a difference. */
function readable(object: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  const metadata = {
    ...withoutKeys(object.metadata, 'managedFields', 'resourceVersion', 'uid', 'generation'),
    ...(annotations !== undefined && { annotations: withoutKeys(annotations, marks.lastApplied) }),
  };
  return { ...withoutKeys(object, 'status'), apiVersion: object.apiVersion, kind: object.kind, metadata };
}

/** The live object as a sync would leave it: live, merged with desired. */
export function predictLive(desired: KubeObject, live: KubeObject, settings: CompareSettings): KubeObject {
  const pointers = ignoredPointers(desired, settings.ignore);
  const { after } = compareObject(withLiveIgnored(desired, live, pointers), live, { ...settings, ignore: [] });
  return { ...after, metadata: { ...readable(live).metadata, ...after.metadata } };
}

/** What a sync would make of the objects of a change. */
export function predictChange(change: Change, settings: CompareSettings): Predicted {
  const { key } = change;
  switch (change.kind) {
    case 'create': {
      const [predicted] = maskSecrets([readable(change.desired)]);
      return { key, live: undefined, predicted, modified: true };
    }
    case 'update':
    case 'keep': {
      const after = predictLive(change.desired, change.live, settings);
      const [live, predicted] = maskSecrets([readable(change.live), readable(after)]);
      return { key, live, predicted, modified: change.kind === 'update' };
    }
    case 'prune': {
      const [live] = maskSecrets([readable(change.live)]);
      return { key, live, predicted: undefined, modified: true };
    }
    case 'ignore':
    case 'hook': {
      const [live] = maskSecrets([readable(change.live)]);
      return { key, live, predicted: live, modified: false };
    }
  }
}

/** `===== group/Kind namespace/name ======`, as `app diff` heads each object (requirement CLI-14). */
export const diffHeader = ({ group, kind, namespace, name }: ResourceKey): string =>
  `===== ${group}/${kind} ${namespace}/${name} ======`;

/** The unified YAML difference from live to what a sync would make of it, under its header; empty when nothing would change. */
export function unifiedDiff({ key, live, predicted }: Predicted): string {
  const text = (object: KubeObject | undefined): string => (object === undefined ? '' : stringifyYaml(object));
  const body = lineDiff(text(live), text(predicted));
  return body === '' ? '' : `${diffHeader(key)}\n${body}`;
}

/** The whole text of `app diff`: every object that a sync would create, change or delete. */
export const diffText = (changes: readonly Change[], settings: CompareSettings): string =>
  changes
    .map((change) => predictChange(change, settings))
    .filter(({ modified }) => modified)
    .map(unifiedDiff)
    .filter((text) => text !== '')
    .join('\n');
