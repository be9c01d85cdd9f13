/** Annotation keys and finalizers that steer a sync (contract 2.1 and 1.7). */
export const marks = {
  syncWave: 'argocd.argoproj.io/sync-wave',
  hook: 'argocd.argoproj.io/hook',
  hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy',
  syncOptions: 'argocd.argoproj.io/sync-options',
  compareOptions: 'argocd.argoproj.io/compare-options',
  ignoreHealthcheck: 'argocd.argoproj.io/ignore-healthcheck',
  deletionApproved: 'argocd.argoproj.io/deletion-approved',
  migrationManager: 'argocd.argoproj.io/client-side-apply-migration-manager',
  helmHook: 'helm.sh/hook',
  helmHookWeight: 'helm.sh/hook-weight',
  helmHookDeletePolicy: 'helm.sh/hook-delete-policy',
  helmResourcePolicy: 'helm.sh/resource-policy',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
  /** Ours: the attempt of an operation that ran this hook. A restart that finds it does not run the hook again. */
  operation: 'tiphys.io/operation',
} as const;

/** Keeps a finished hook until its result is stored, whatever deletes it early (contract 1.7). */
export const hookFinalizer = 'argocd.argoproj.io/hook-finalizer';
