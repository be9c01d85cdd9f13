import { canonicalJson, mergePatch, parseJson, stringifyJson, type KubeObject } from '@tiphys/api';
import { compareObject } from '../../diff/compare-object.ts';
import { defaultCompareOptions, foldSecret } from '../../diff/normalise.ts';
import { isSecret } from '../../diff/mask.ts';
import { withoutKeys } from '../../diff/without-keys.ts';
import { marks } from '../marks.ts';

/** The object that is sent: without status and bookkeeping, a Secret's stringData folded into data. */
export function sentObject(object: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  const metadata = {
    ...withoutKeys(object.metadata, 'creationTimestamp', 'managedFields', 'resourceVersion', 'uid', 'generation'),
    ...(annotations !== undefined && { annotations: withoutKeys(annotations, marks.lastApplied) }),
  };
  const sent: KubeObject = { ...object, metadata };
  return isSecret(object)
    ? {
        ...withoutKeys(sent, 'stringData'),
        ...foldSecret(object),
        apiVersion: sent.apiVersion,
        kind: sent.kind,
        metadata,
      }
    : sent;
}

/** The last-applied annotation as kubectl writes it: the object in one line of JSON, with a line end. */
const lastAppliedText = (sent: KubeObject): string =>
  `${stringifyJson({ ...sent, metadata: { annotations: {}, ...sent.metadata } })}\n`;

function withAnnotation(object: KubeObject, text: string): KubeObject {
  const annotations = { ...object.metadata.annotations, [marks.lastApplied]: text };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** What client-side apply creates: the object with its last-applied annotation. */
export function createdObject(object: KubeObject): KubeObject {
  const sent = sentObject(object);
  return withAnnotation(sent, lastAppliedText(sent));
}

/** Whether two annotation texts say the same, whatever the order of keys. */
function sameAnnotation(a: string | undefined, b: string): boolean {
  if (a === undefined) return false;
  try {
    return canonicalJson(parseJson(a)) === canonicalJson(parseJson(b));
  } catch {
    return false;
  }
}

/**
 * The merge patch of a three-way client-side apply: from live, last-applied and desired; undefined when nothing is to be written.
 * It holds the live object's uid and resourceVersion, so it is refused when the object has changed since. Lists are merged here,
 * by the keys of the built-in kinds, and sent whole.
 */
export function clientSidePatch(object: KubeObject, live: KubeObject): Readonly<Record<string, unknown>> | undefined {
  const sent = sentObject(object);
  const text = lastAppliedText(sent);
  const { before, after } = compareObject(sent, live, { options: defaultCompareOptions, ignore: [] });
  const same = sameAnnotation(live.metadata.annotations?.[marks.lastApplied], text);
  const patch = mergePatch(before, same ? after : withAnnotation(after, text));
  if (patch === undefined) return undefined;
  const changes = patch as Readonly<Record<string, unknown>>;
  const { uid, resourceVersion } = live.metadata;
  return { ...changes, metadata: { ...(changes['metadata'] as object | undefined), uid, resourceVersion } };
}
