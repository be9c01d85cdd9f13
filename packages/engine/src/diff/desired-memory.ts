import type { Because, KubeObject } from '@tiphys/api';
import { readChildApplications } from './child-applications.ts';
import { policyWarnings, waveOf } from '../sync/hooks.ts';
import { optionWarnings } from '../sync/options.ts';
import { type DesiredTarget, type NormalisedDesired, normaliseDesired } from './normalise-desired.ts';

/** Desired objects, and what is wrong (nothing may be applied) or odd about them. */
export type Desired = NormalisedDesired & Readonly<{ warnings: readonly Because[] }>;

function read(rendered: readonly KubeObject[], target: DesiredTarget): Desired {
  const children = readChildApplications(rendered);
  const { objects, errors } = normaliseDesired(children.objects, target);
  const odd = objects.flatMap((object) =>
    [waveOf(object).warning ?? [], optionWarnings(object), policyWarnings(object)].flat(),
  );
  return { objects, errors: [...children.errors, ...errors], warnings: [...children.warnings, ...odd] };
}

/**
 * Remembers the desired objects made of a rendered list, so that an unchanged application compares the very same objects again:
 * their digests are known, and nothing is copied. Goes with the list itself.
 */
export interface DesiredMemory {
  desired(rendered: readonly KubeObject[], target: DesiredTarget): Desired;
}

export function openDesiredMemory(): DesiredMemory {
  const known = new WeakMap<readonly KubeObject[], Readonly<{ target: DesiredTarget; result: Desired }>>();
  const same = (a: DesiredTarget, b: DesiredTarget): boolean =>
    a.discovery === b.discovery &&
    a.destinationNamespace === b.destinationNamespace &&
    a.application === b.application &&
    a.tracking === b.tracking;
  return {
    desired: (rendered, target) => {
      const found = known.get(rendered);
      if (found !== undefined && same(found.target, target)) return found.result;
      const result = read(rendered, target);
      known.set(rendered, { target, result });
      return result;
    },
  };
}
