import { at, listAt, isRecord, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { equal, semanticallyEqual } from '../server/equal.ts';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
import { ownerKey } from './replica-set.ts';
import { hashOf, resolveCount, templateLabels, templateOf } from './template.ts';
import { controllerReference, withCondition, type Condition, type Workbench } from './workbench.ts';
import { omit } from '../schema/omit.ts';

const resource = 'deployments.apps';
const component = 'deployment-controller';

const hashLabel = 'pod-template-hash';
const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
const maxAnnotation = 'deployment.kubernetes.io/max-replicas';

/** Annotations of a Deployment that its replica sets do not inherit. */
const notInherited = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
]);

const replicas = (object: KubeObject): number => numberAt(object, 'spec', 'replicas') ?? 1;

const statusCount = (object: KubeObject, field: string): number => numberAt(object, 'status', field) ?? 0;

const total = (sets: readonly KubeObject[], count: (set: KubeObject) => number): number =>
  sets.reduce((sum, set) => sum + count(set), 0);

const revisionOf = (object: KubeObject): number => Number(object.metadata.annotations?.[revisionAnnotation] ?? 0) || 0;

const withoutHash = (template: Record<string, unknown>): Record<string, unknown> => {
  const labels = omit(templateLabels(template), hashLabel);
  return { ...template, metadata: { ...(isRecord(template['metadata']) && template['metadata']), labels } };
};

/** What a Deployment has made so far: the set of its present template and the others, oldest first. */
type Rollout = Readonly<{ deployment: KubeObject; current: KubeObject | undefined; old: readonly KubeObject[] }>;

function gather(deployment: KubeObject, bench: Workbench): Rollout {
  const sets = [...bench.controlled(deployment, 'ReplicaSet')].sort((a, b) => revisionOf(a) - revisionOf(b));
  const wanted = withoutHash(templateOf(deployment));
  const current = sets.find((set) => semanticallyEqual(withoutHash(templateOf(set)), wanted));
  return { deployment, current, old: sets.filter((set) => set !== current) };
}

type Bounds = Readonly<{ surge: number; unavailable: number }>;

function boundsOf(deployment: KubeObject): Bounds {
  const wanted = replicas(deployment);
  if (stringAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') return { surge: 0, unavailable: wanted };
  const surge = resolveCount(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') ?? '25%', wanted, 'up');
  const unavailable = resolveCount(
    at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable') ?? '25%',
    wanted,
    'down',
  );
  // Both 0 would never move.
  return surge === 0 && unavailable === 0 ? { surge: 0, unavailable: 1 } : { surge, unavailable };
}

function setAnnotations(deployment: KubeObject, revision: number): Record<string, string> {
  const inherited = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notInherited.has(key));
  return {
    ...Object.fromEntries(inherited),
    [desiredAnnotation]: String(replicas(deployment)),
    [maxAnnotation]: String(replicas(deployment) + boundsOf(deployment).surge),
    [revisionAnnotation]: String(revision),
  };
}

function newSet({ deployment }: Rollout, plan: Readonly<{ size: number; revision: number }>): KubeObject {
  const template = templateOf(deployment);
  const collisions = numberAt(deployment, 'status', 'collisionCount') ?? 0;
  const hash = hashOf([withoutHash(template), collisions]);
  const labels = { ...templateLabels(template), [hashLabel]: hash };
  const selector = at(deployment, 'spec', 'selector');
  const matchLabels = at(selector, 'matchLabels');
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name ?? ''}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: setAnnotations(deployment, plan.revision),
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: plan.size,
      ...(numberAt(deployment, 'spec', 'minReadySeconds') !== undefined && {
        minReadySeconds: numberAt(deployment, 'spec', 'minReadySeconds'),
      }),
      selector: {
        ...(isRecord(selector) && selector),
        matchLabels: { ...(isRecord(matchLabels) && matchLabels), [hashLabel]: hash },
      },
      template: { ...template, metadata: { ...(isRecord(template['metadata']) && template['metadata']), labels } },
    },
  };
}

/** How many pods the current set may have now without breaking `maxSurge`. */
function allowedSize({ deployment, current, old }: Rollout): number {
  const present = current === undefined ? 0 : replicas(current);
  if (stringAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') return replicas(deployment);
  const room = replicas(deployment) + boundsOf(deployment).surge - present - total(old, replicas);
  return present + Math.max(0, Math.min(room, replicas(deployment) - present));
}

function resize(
  set: KubeObject,
  size: number,
  { deployment, bench }: { deployment: KubeObject; bench: Workbench },
): void {
  const before = replicas(set);
  const annotations = {
    ...set.metadata.annotations,
    [desiredAnnotation]: String(replicas(deployment)),
    [maxAnnotation]: String(replicas(deployment) + boundsOf(deployment).surge),
  };
  const spec = isRecord(set['spec']) ? set['spec'] : {};
  bench.update({ ...set, metadata: { ...set.metadata, annotations }, spec: { ...spec, replicas: size } });
  if (before === size) return;
  const direction = size > before ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${set.metadata.name ?? ''} from ${before} to ${size}`;
  bench.event(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message, component });
}

/** The revisions that a set had before it came back with a newer one, the oldest first; a real one keeps 2,000 characters. */
function historyOf(set: KubeObject): string {
  const earlier = set.metadata.annotations?.[historyAnnotation];
  const revisions = [...(earlier === undefined ? [] : earlier.split(',')), String(revisionOf(set))];
  while (revisions.length > 1 && revisions.join(',').length > 2000) revisions.shift();
  return revisions.join(',');
}

/** The current set, made or brought up to date with the Deployment's annotations and revision. */
function ensureCurrent(rollout: Rollout, bench: Workbench): { current: KubeObject; created: boolean } {
  const { deployment, current, old } = rollout;
  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  if (current === undefined) {
    const created = bench.create(newSet(rollout, { size: allowedSize(rollout), revision }));
    const message = `Scaled up replica set ${created.metadata.name ?? ''} from 0 to ${replicas(created)}`;
    if (replicas(created) > 0)
      bench.event(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message, component });
    return { current: created, created: true };
  }
  const kept = Math.max(revision, revisionOf(current));
  const returns = revisionOf(current) > 0 && kept > revisionOf(current);
  const annotations = {
    ...current.metadata.annotations,
    ...setAnnotations(deployment, kept),
    ...(returns && { [historyAnnotation]: historyOf(current) }),
  };
  if (equal(annotations, current.metadata.annotations)) return { current, created: false };
  return { current: bench.update({ ...current, metadata: { ...current.metadata, annotations } }), created: false };
}

/** Of what is to be added to all sets (or taken from them), the share of one by its size. */
function shareOf(set: KubeObject, { deployment, left }: Readonly<{ deployment: KubeObject; left: number }>): number {
  if (replicas(set) === 0 || left === 0) return 0;
  const size = replicas(deployment) === 0 ? 0 : replicas(deployment) + boundsOf(deployment).surge;
  const before = Number(set.metadata.annotations?.[maxAnnotation] ?? 0) || statusCount(deployment, 'replicas');
  const share = before === 0 ? 0 : Math.round((replicas(set) * size) / before) - replicas(set);
  return left > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
}

/**
 * A Deployment that was scaled in the middle of a rollout: all of its sets grow or shrink in proportion, so that no
 * more is risked on the new one than before.
 * @returns whether that was the case
 */
function scaleInProportion({ deployment, current, old }: Rollout, bench: Workbench): boolean {
  const context = { deployment, bench };
  const active = [...old, ...(current === undefined ? [] : [current])].filter((set) => replicas(set) > 0);
  const wanted = replicas(deployment);
  const wasScaled = active.some((set) => {
    const desired = set.metadata.annotations?.[desiredAnnotation];
    return desired !== undefined && Number(desired) !== wanted;
  });
  const isRolling = stringAt(deployment, 'spec', 'strategy', 'type') !== 'Recreate';
  if (!wasScaled || active.length < 2 || !isRolling) return false;
  const size = wanted === 0 ? 0 : wanted + boundsOf(deployment).surge;
  const add = size - total(active, replicas);
  // Those that grow are the newest first, those that shrink the oldest.
  const order = add > 0 ? -1 : 1;
  const sets = [...active].sort((a, b) => replicas(b) - replicas(a) || order * (revisionOf(a) - revisionOf(b)));
  let left = add;
  const sizes = sets.map((set) => {
    const share = shareOf(set, { deployment, left });
    left -= share;
    return replicas(set) + share;
  });
  for (const [index, set] of sets.entries()) {
    const rest = index === 0 ? left : 0;
    resize(set, Math.max(0, (sizes[index] ?? 0) + rest), context);
  }
  return true;
}

/** Takes pods from old sets: first those that are not available anyway, then as many as `maxUnavailable` allows. */
function shrinkOld(rollout: Rollout & { current: KubeObject }, bench: Workbench): void {
  const { deployment, current, old } = rollout;
  const context = { deployment, bench };
  if (stringAt(deployment, 'spec', 'strategy', 'type') === 'Recreate') {
    for (const set of old) if (replicas(set) > 0) resize(set, 0, context);
    return;
  }
  const least = replicas(deployment) - boundsOf(deployment).unavailable;
  const unavailable = replicas(current) - statusCount(current, 'availableReplicas');
  let budget = replicas(current) + total(old, replicas) - least - unavailable;
  for (const set of old) {
    const idle = replicas(set) - statusCount(set, 'availableReplicas');
    const take = Math.min(Math.max(0, idle), Math.max(0, budget), replicas(set));
    if (take === 0) continue;
    budget -= take;
    resize(set, replicas(set) - take, context);
  }
  const fresh = old.map(
    (set) =>
      bench.get({
        resource: 'replicasets.apps',
        namespace: set.metadata.namespace ?? '',
        name: set.metadata.name ?? '',
      }) ?? set,
  );
  const available =
    statusCount(current, 'availableReplicas') +
    total(fresh, (set) => Math.min(statusCount(set, 'availableReplicas'), replicas(set)));
  let spare = available - least;
  for (const set of fresh) {
    const take = Math.min(replicas(set), spare);
    if (take <= 0) continue;
    spare -= take;
    resize(set, replicas(set) - take, context);
  }
}

function roll(rollout: Rollout & { current: KubeObject }, bench: Workbench): void {
  const { deployment, current, old } = rollout;
  const recreating = stringAt(deployment, 'spec', 'strategy', 'type') === 'Recreate';
  const oldPods = recreating ? old.flatMap((set) => bench.controlled(set, 'Pod')) : [];
  if (oldPods.length === 0) {
    const wanted = replicas(current) > replicas(deployment) ? replicas(deployment) : allowedSize(rollout);
    if (wanted !== replicas(current)) resize(current, wanted, { deployment, bench });
  }
  const latest = bench.get({
    resource: 'replicasets.apps',
    namespace: current.metadata.namespace ?? '',
    name: current.metadata.name ?? '',
  });
  shrinkOld({ ...rollout, current: latest ?? current }, bench);
}

/** While paused nothing is rolled out, but the newest set with pods still follows the size. */
function scalePaused({ deployment, current, old }: Rollout, bench: Workbench): void {
  const active = [...old, ...(current === undefined ? [] : [current])].filter((set) => replicas(set) > 0);
  const only = active.length === 1 ? active[0] : undefined;
  if (only !== undefined && replicas(only) !== replicas(deployment))
    resize(only, replicas(deployment), { deployment, bench });
}

type Counts = Readonly<{ all: number; updated: number; ready: number; available: number; terminating: number }>;

function countsOf({ current, old }: Rollout): Counts {
  const sets = [...old, ...(current === undefined ? [] : [current])];
  return {
    all: total(sets, (set) => statusCount(set, 'replicas')),
    updated: current === undefined ? 0 : statusCount(current, 'replicas'),
    ready: total(sets, (set) => statusCount(set, 'readyReplicas')),
    available: total(sets, (set) => statusCount(set, 'availableReplicas')),
    terminating: total(sets, (set) => statusCount(set, 'terminatingReplicas')),
  };
}

const conditionOf = (deployment: KubeObject, type: string): Record<string, unknown> | undefined => {
  const conditions = at(deployment, 'status', 'conditions');
  return (Array.isArray(conditions) ? conditions.filter(isRecord) : []).find((entry) => entry['type'] === type);
};

function availability(deployment: KubeObject, { available }: Counts): Condition {
  const enough = available >= replicas(deployment) - boundsOf(deployment).unavailable;
  return enough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

const isComplete = (deployment: KubeObject, { all, updated, available }: Counts): boolean =>
  updated === replicas(deployment) && all === replicas(deployment) && available === replicas(deployment);

type Progress = Readonly<{ condition: Condition | undefined; moved: boolean; again: Again }>;

const quoted = (set: KubeObject | undefined): string => JSON.stringify(set?.metadata.name ?? '');

/** The Progressing condition: what moved last, whether it is done, or whether the deadline has passed. */
function progressOf(rollout: Rollout, counts: Counts, context: { created: boolean; now: Date }): Progress {
  const { deployment, current } = rollout;
  const before = conditionOf(deployment, 'Progressing');
  const make = (reason: string, message: string, status = 'True'): Condition => ({
    type: 'Progressing',
    status,
    reason,
    message,
  });
  if (context.created)
    return {
      condition: make('NewReplicaSetCreated', `Created new replica set ${quoted(current)}`),
      moved: true,
      again: undefined,
    };
  if (isComplete(deployment, counts)) {
    const reason = 'NewReplicaSetAvailable';
    const condition = make(reason, `ReplicaSet ${quoted(current)} has successfully progressed.`);
    return { condition, moved: before?.['reason'] !== reason, again: undefined };
  }
  const status = (field: string): number => statusCount(deployment, field);
  const moved =
    counts.updated > status('updatedReplicas') ||
    counts.ready > status('readyReplicas') ||
    counts.available > status('availableReplicas') ||
    counts.all - counts.updated < status('replicas') - status('updatedReplicas');
  const progressing = make('ReplicaSetUpdated', `ReplicaSet ${quoted(current)} is progressing.`);
  if (moved || before === undefined) return { condition: progressing, moved: true, again: undefined };
  if (before['reason'] === 'NewReplicaSetAvailable') return { condition: undefined, moved: false, again: undefined };
  const deadlineMs = (numberAt(deployment, 'spec', 'progressDeadlineSeconds') ?? 600) * 1000;
  const since = new Date(stringAt(before, 'lastUpdateTime') ?? context.now).getTime();
  const left = since + deadlineMs - context.now.getTime();
  if (before['reason'] === 'ProgressDeadlineExceeded') return { condition: undefined, moved: false, again: undefined };
  if (left > 0) return { condition: undefined, moved: false, again: left + 1000 };
  const message = `ReplicaSet ${quoted(current)} has timed out progressing.`;
  return { condition: make('ProgressDeadlineExceeded', message, 'False'), moved: true, again: undefined };
}

/** A set whose pods are refused says so on its Deployment too. */
function withFailure(
  conditions: readonly Record<string, unknown>[],
  { current, old }: Rollout,
  now: string,
): readonly Record<string, unknown>[] {
  const sets = [...(current === undefined ? [] : [current]), ...old];
  const failure = sets
    .flatMap((set) => listAt(set, 'status', 'conditions'))
    .find((entry) => at(entry, 'type') === 'ReplicaFailure');
  if (failure === undefined) return conditions.filter(({ type }) => type !== 'ReplicaFailure');
  const [status, reason, message] = ['status', 'reason', 'message'].map((field) => stringAt(failure, field) ?? '');
  const entry = { type: 'ReplicaFailure', status: status ?? '', reason: reason ?? '', message: message ?? '' };
  return withCondition(conditions, { lastUpdateTime: now, ...entry }, now);
}

function writeStatus(rollout: Rollout, context: { created: boolean; bench: Workbench }): Again {
  const { deployment } = rollout;
  const { bench } = context;
  const counts = countsOf(rollout);
  const now = bench.nowText();
  const paused = at(deployment, 'spec', 'paused') === true;
  const progress: Progress = paused
    ? {
        condition: {
          type: 'Progressing',
          status: 'Unknown',
          reason: 'DeploymentPaused',
          message: 'Deployment is paused',
        },
        moved: conditionOf(deployment, 'Progressing')?.['reason'] !== 'DeploymentPaused',
        again: undefined,
      }
    : progressOf(rollout, counts, { created: context.created, now: bench.now() });
  const before: unknown = at(deployment, 'status', 'conditions');
  const available = availability(deployment, counts);
  const changed = conditionOf(deployment, 'Available')?.['status'] !== available.status;
  const first = withCondition(before, changed ? { ...available, lastUpdateTime: now } : available, now);
  const { condition } = progress;
  const progressed =
    condition === undefined
      ? first
      : withCondition(first, progress.moved ? { ...condition, lastUpdateTime: now } : condition, now);
  const conditions = withFailure(progressed, rollout, now);
  const unavailable = Math.max(0, replicas(deployment) - counts.available);
  const collisionCount = at(deployment, 'status', 'collisionCount');
  bench.updateStatus(deployment, {
    observedGeneration: deployment.metadata.generation,
    ...(counts.all > 0 && { replicas: counts.all }),
    ...(counts.updated > 0 && { updatedReplicas: counts.updated }),
    ...(counts.ready > 0 && { readyReplicas: counts.ready }),
    ...(counts.available > 0 && { availableReplicas: counts.available }),
    ...(unavailable > 0 && { unavailableReplicas: unavailable }),
    terminatingReplicas: counts.terminating,
    conditions,
    ...(collisionCount !== undefined && { collisionCount }),
  });
  return progress.again;
}

/** Drops old, empty sets beyond `revisionHistoryLimit`. */
function forgetHistory({ deployment, old }: Rollout, bench: Workbench): void {
  const limit = numberAt(deployment, 'spec', 'revisionHistoryLimit') ?? 10;
  const empty = old.filter((set) => replicas(set) === 0 && statusCount(set, 'replicas') === 0);
  for (const set of empty.slice(0, Math.max(0, empty.length - limit))) bench.remove(set);
}

function reconcile(deployment: KubeObject, bench: Workbench): Again {
  const before = gather(deployment, bench);
  if (deployment.metadata.deletionTimestamp !== undefined) return writeStatus(before, { created: false, bench });
  if (at(deployment, 'spec', 'paused') === true) {
    scalePaused(before, bench);
    return writeStatus(gather(deployment, bench), { created: false, bench });
  }
  if (scaleInProportion(before, bench)) return writeStatus(gather(deployment, bench), { created: false, bench });
  const { current, created } = ensureCurrent(before, bench);
  const revision = String(revisionOf(current));
  const annotations = { ...deployment.metadata.annotations, [revisionAnnotation]: revision };
  const revised = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  if (!created) roll({ ...before, current }, bench);
  const after = gather(revised, bench);
  forgetHistory(after, bench);
  return writeStatus(after, { created, bench });
}

/** Rolls a Deployment's template out through replica sets. */
export const deployments = (bench: Workbench): Controller => ({
  name: 'deployment',
  concerns: (event) => {
    const { object } = event;
    if (event.resource === resource) return [keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')];
    return event.resource === 'replicasets.apps' ? ownerKey(object, 'Deployment') : [];
  },
  reconcile: (key) => {
    const deployment = bench.get({ resource, ...splitKey(key) });
    return deployment === undefined ? undefined : reconcile(deployment, bench);
  },
});
