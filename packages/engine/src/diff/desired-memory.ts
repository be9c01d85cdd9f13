import type { KubeObject } from '@tiphys/api';
import { type DesiredTarget, type NormalisedDesired, normaliseDesired } from './normalise-desired.ts';

/**
 * Remembers the desired objects made of a rendered list, so that an unchanged application compares the very same objects again:
 * their digests are known, and nothing is copied. Goes with the list itself.
 */
export interface DesiredMemory {
  desired(rendered: readonly KubeObject[], target: DesiredTarget): NormalisedDesired;
}

export function openDesiredMemory(): DesiredMemory {
  const known = new WeakMap<readonly KubeObject[], Readonly<{ target: DesiredTarget; result: NormalisedDesired }>>();
  const same = (a: DesiredTarget, b: DesiredTarget): boolean =>
    a.discovery === b.discovery &&
    a.destinationNamespace === b.destinationNamespace &&
    a.application === b.application &&
    a.tracking === b.tracking;
  return {
    desired: (rendered, target) => {
      const found = known.get(rendered);
      if (found !== undefined && same(found.target, target)) return found.result;
      const result = normaliseDesired(rendered, target);
      known.set(rendered, { target, result });
      return result;
    },
  };
}
