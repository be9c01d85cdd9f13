import {
  asObject,
  keyOf,
  keyText,
  type KubeObject,
  parseYamlDocuments,
  type TrackingSettings,
  withTracking,
} from '@tiphys/api';
import type { LiveObjects } from '../diff/change.ts';
import { diff } from '../diff/diff.ts';
import { defaultCompareOptions } from '../diff/normalise.ts';
import { assess } from '../health/built-in.ts';
import { initialProgress } from './carry-out.ts';
import { planSync } from './plan-sync.ts';
import type { SyncObservation, SyncPlan, SyncRequest, SyncTask } from './types.ts';

const tracking: TrackingSettings = {
  method: 'annotation',
  instanceLabelKey: 'app.kubernetes.io/instance',
  installationId: '',
};
const startedAt = '2026-01-01T00:00:00Z';
/** A sync of everything, without options. */
export const request: SyncRequest = {
  application: 'shop',
  tracking,
  destinationNamespace: 'n',
  syncOptions: [],
  prune: false,
  dryRun: false,
  force: false,
  strategy: 'hook',
  resources: [],
  revision: '0123456789abcdef',
  startedAt,
  retryCount: 0,
  ignore: [],
};

export const tracked = (object: KubeObject): KubeObject => withTracking(object, 'shop', tracking);
export const objects = (yaml: string): KubeObject[] => parseYamlDocuments(yaml).map((one) => tracked(asObject(one)));
export const liveOf = (list: readonly KubeObject[]): Map<string, KubeObject> =>
  new Map(list.map((one) => [keyText(keyOf(one)), one]));

export function planOf(
  desired: readonly KubeObject[],
  more: { request?: Partial<SyncRequest>; live?: LiveObjects } = {},
): SyncPlan {
  const live = more.live ?? new Map();
  const changes = diff(desired, live, { application: 'shop', tracking, options: defaultCompareOptions, ignore: [] });
  return planSync({ desired, changes, live }, { ...request, ...more.request });
}

export const label = (task: SyncTask): string =>
  `${task.phase} ${task.wave} ${task.kind === 'prune' ? 'prune ' : ''}${task.key.kind}/${task.key.name}`;
export const labels = (plan: SyncPlan): string[] => plan.tasks.map(label);

export type Annotations = Readonly<Record<string, string>>;
export const wave = (n: number | string): Annotations => ({ 'argocd.argoproj.io/sync-wave': String(n) });
export const hook = (types: string, policy?: string): Annotations => ({
  'argocd.argoproj.io/hook': types,
  ...(policy !== undefined && { 'argocd.argoproj.io/hook-delete-policy': policy }),
});
export const make = (kind: string, name: string, annotations: Annotations = {}): KubeObject => {
  const apiVersion =
    {
      Job: 'batch/v1',
      Deployment: 'apps/v1',
      ReplicaSet: 'apps/v1',
      Ingress: 'networking.k8s.io/v1',
      Role: 'rbac.authorization.k8s.io/v1',
    }[kind] ?? 'v1';
  return tracked({
    apiVersion,
    kind,
    metadata: { name, ...(kind !== 'Namespace' && { namespace: 'n' }), annotations },
  });
};

export const seenOf = (plan: SyncPlan, more: Partial<SyncObservation> = {}): SyncObservation => ({
  results: [],
  live: new Map(),
  health: (live) => assess(live),
  progress: { ...initialProgress, namespaceReady: true, preflight: 'passed' },
  stop: undefined,
  waveDelayMs: 0,
  now: new Date('2026-01-01T00:01:00Z'),
  ...more,
});
