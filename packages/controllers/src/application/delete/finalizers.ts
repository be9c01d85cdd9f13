import { cascadeFinalizers, isCascading, type KubeObject } from '@tiphys/api';
import { type DeletionPhase, deletionPhases, deletionPhasesOf } from '@tiphys/engine';

/** Says that the hooks of a phase have still to run; it goes when they have succeeded, and with it the chance of a second run. */
export const hookFinalizers: Readonly<Record<DeletionPhase, string>> = {
  PreDelete: 'pre-delete-finalizer.argocd.argoproj.io',
  PostDelete: 'post-delete-finalizer.argocd.argoproj.io',
};

/** Says that the hooks of a phase have still to be cleaned up. */
const cleanup = (phase: DeletionPhase): string => `${hookFinalizers[phase]}/cleanup`;

const hookFinalizersOf = (phase: DeletionPhase): string[] => [hookFinalizers[phase], cleanup(phase)];

const allHookFinalizers = deletionPhases.flatMap(hookFinalizersOf);

export const isBackground = (finalizers: readonly string[]): boolean =>
  finalizers.includes(cascadeFinalizers.background);

/** Whether a finalizer is one that this controller takes away at the end of a deletion. */
export const isOurs = (finalizer: string): boolean => isCascading(finalizer) || allHookFinalizers.includes(finalizer);

/** Desired lists whose phases are known; a list stays the same object as long as nothing is rendered anew. */
const phasesOfList = new WeakMap<readonly KubeObject[], ReadonlySet<DeletionPhase>>();

function phasesOf(desired: readonly KubeObject[]): ReadonlySet<DeletionPhase> {
  const known = phasesOfList.get(desired);
  if (known !== undefined) return known;
  const phases = new Set(desired.flatMap(deletionPhasesOf));
  phasesOfList.set(desired, phases);
  return phases;
}

/** The finalizers that the hooks among the desired objects ask for, others kept; undefined when they are there already. */
export function wantedFinalizers(
  present: readonly string[],
  desired: readonly KubeObject[],
): readonly string[] | undefined {
  const phases = phasesOf(desired);
  const wanted = deletionPhases.filter((phase) => phases.has(phase)).flatMap(hookFinalizersOf);
  const kept = present.filter((finalizer) => !allHookFinalizers.includes(finalizer) || wanted.includes(finalizer));
  const missing = wanted.filter((finalizer) => !present.includes(finalizer));
  return missing.length === 0 && kept.length === present.length ? undefined : [...kept, ...missing];
}
