/** Finalizers with which deleting an Application deletes its objects first (contract 1.7). */
export const cascadeFinalizers = {
  foreground: 'resources-finalizer.argocd.argoproj.io',
  background: 'resources-finalizer.argocd.argoproj.io/background',
} as const;

/** Whether a finalizer has the objects of an Application go with it; the plain one may be written out. */
export const isCascading = (finalizer: string): boolean =>
  finalizer === cascadeFinalizers.foreground ||
  finalizer === `${cascadeFinalizers.foreground}/foreground` ||
  finalizer === cascadeFinalizers.background;
