import { at, isRecord, numberAt, stringAt, type KubeObject, listAt } from '@tiphys/api';
import { keepClaimOwners } from './claim-retention.ts';
import { keyText, splitKey, type Again, type Controller } from './controller.ts';
import { omit } from '../schema/omit.ts';
import { ownerKey } from './replica-set.ts';
import { claimTemplates, keepRevisions, revisionLabel, type Revisions } from './revision.ts';
import { isReady, podFromTemplate, templateOf, untilAvailable } from './template.ts';
import type { Workbench } from './workbench.ts';

const resource = 'statefulsets.apps';
const component = 'statefulset-controller';

const ordinalOf = (pod: KubeObject): number => Number(/-(\d+)$/.exec(pod.metadata.name ?? '')?.[1] ?? -1);

const revisionOf = (pod: KubeObject): string => pod.metadata.labels?.[revisionLabel] ?? '';

const hasEnded = (pod: KubeObject): boolean => ['Failed', 'Succeeded'].includes(stringAt(pod, 'status', 'phase') ?? '');

const goes = (pod: KubeObject): boolean => pod.metadata.deletionTimestamp !== undefined;

const isHealthy = (pod: KubeObject): boolean => isReady(pod) && !goes(pod);

type Claim = Readonly<{ name: string; volume: string; template: Record<string, unknown> }>;

function claimsOf(set: KubeObject, ordinal: number): readonly Claim[] {
  return claimTemplates(set).map(({ name, template }) => ({
    name: `${name}-${set.metadata.name ?? ''}-${ordinal}`,
    volume: name,
    template: isRecord(template) ? template : {},
  }));
}

function createClaims(set: KubeObject, ordinal: number, bench: Workbench): void {
  const { namespace = '' } = set.metadata;
  const matchLabels = at(set, 'spec', 'selector', 'matchLabels');
  for (const { name, template } of claimsOf(set, ordinal)) {
    if (bench.get({ resource: 'persistentvolumeclaims', namespace, name }) !== undefined) continue;
    const owner = set.metadata.name ?? '';
    const message = `Create Claim ${name} Pod ${owner}-${ordinal} in StatefulSet ${owner} success`;
    const metadata = isRecord(template['metadata']) ? template['metadata'] : {};
    const labels = {
      ...(isRecord(metadata['labels']) && metadata['labels']),
      ...(isRecord(matchLabels) && matchLabels),
    };
    bench.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name,
        namespace,
        labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])),
        ...(isRecord(metadata['annotations']) && {
          annotations: Object.fromEntries(Object.entries(metadata['annotations']).map(([k, v]) => [k, String(v)])),
        }),
      },
      spec: template['spec'],
    });
    bench.event(set, { type: 'Normal', reason: 'SuccessfulCreate', message, component });
  }
}

type Plan = Readonly<{ set: KubeObject; pods: ReadonlyMap<number, KubeObject>; revisions: Revisions }>;

type Version = Readonly<{ template: Record<string, unknown>; revision: string }>;

/** What a new pod is made from: below the partition the template that the set had before, else the present one. */
function versionFor(
  set: KubeObject,
  { revisions, ordinal, bench }: Readonly<{ revisions: Revisions; ordinal: number; bench: Workbench }>,
): Version {
  const present = { template: templateOf(set), revision: revisions.update };
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const first = numberAt(set, 'spec', 'ordinals', 'start') ?? 0;
  const revision = stringAt(set, 'status', 'currentRevision') ?? revisions.before;
  if (ordinal >= first + partition || revision === revisions.update) return present;
  const place = { resource: 'controllerrevisions.apps', namespace: set.metadata.namespace ?? '', name: revision };
  const template = at(bench.get(place), 'data', 'spec', 'template');
  return isRecord(template) ? { template: omit(template, '$patch'), revision } : present;
}

/** The revision that an ordinal is to have: those below the partition keep the old one until all is rolled out. */
function createPod({ set, revisions }: Plan, ordinal: number, bench: Workbench): void {
  createClaims(set, ordinal, bench);
  const name = `${set.metadata.name ?? ''}-${ordinal}`;
  const { template, revision } = versionFor(set, { revisions, ordinal, bench });
  const spec = isRecord(template['spec']) ? template['spec'] : {};
  const own = listAt(spec, 'volumes');
  const claimed = claimsOf(set, ordinal);
  const others = own.filter((volume) => !claimed.some((claim) => claim.volume === stringAt(volume, 'name')));
  const volumes = [
    ...claimed.map((claim) => ({ name: claim.volume, persistentVolumeClaim: { claimName: claim.name } })),
    ...others,
  ];
  const labels = {
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
    [revisionLabel]: revision,
  };
  const more = {
    hostname: name,
    subdomain: stringAt(set, 'spec', 'serviceName') ?? '',
    ...(volumes.length > 0 && { volumes }),
  };
  bench.create(podFromTemplate(set, template, { name, labels, spec: more }));
  const message = `Create Pod ${name} in StatefulSet ${set.metadata.name ?? ''} successful`;
  bench.event(set, { type: 'Normal', reason: 'SuccessfulCreate', message, component });
}

function drop({ set }: Plan, pod: KubeObject, bench: Workbench): void {
  bench.remove(pod);
  const message = `Delete Pod ${pod.metadata.name ?? ''} in StatefulSet ${set.metadata.name ?? ''} successful`;
  bench.event(set, { type: 'Normal', reason: 'SuccessfulDelete', message, component });
}

/** One step: create, scale down or replace, one pod at a time unless the policy is Parallel. */
function step(plan: Plan, bench: Workbench): void {
  const { set, pods, revisions } = plan;
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  const first = numberAt(set, 'spec', 'ordinals', 'start') ?? 0;
  const parallel = stringAt(set, 'spec', 'podManagementPolicy') === 'Parallel';
  for (let ordinal = first; ordinal < first + wanted; ordinal++) {
    const pod = pods.get(ordinal);
    if (pod === undefined) createPod(plan, ordinal, bench);
    else if (hasEnded(pod) && !goes(pod)) drop(plan, pod, bench);
    else if (isHealthy(pod) || parallel) continue;
    if (!parallel) return;
  }
  const surplus = [...pods]
    .filter(([ordinal]) => ordinal < first || ordinal >= first + wanted)
    .sort(([a], [b]) => b - a);
  for (const [, pod] of surplus) {
    if (!goes(pod)) drop(plan, pod, bench);
    if (!parallel) return;
  }
  if (stringAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return;
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const ordinals = [...pods.keys()].filter((ordinal) => ordinal >= Math.max(first, partition)).sort((a, b) => b - a);
  for (const ordinal of ordinals) {
    const pod = pods.get(ordinal);
    if (pod === undefined || goes(pod)) return;
    if (revisionOf(pod) !== revisions.update) {
      drop(plan, pod, bench);
      return;
    }
    if (!isHealthy(pod)) return;
  }
}

function writeStatus(set: KubeObject, revisions: Revisions, bench: Workbench): Again {
  const pods = bench.controlled(set, 'Pod').filter((pod) => !hasEnded(pod));
  const ready = pods.filter(isHealthy);
  const waits = ready.flatMap(
    (pod) => untilAvailable(pod, numberAt(set, 'spec', 'minReadySeconds') ?? 0, bench.now()) ?? [],
  );
  const updated = pods.filter((pod) => revisionOf(pod) === revisions.update && !goes(pod)).length;
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const rolledOut = partition === 0 && updated === wanted && ready.length === wanted && pods.length === wanted;
  const before = stringAt(set, 'status', 'currentRevision') ?? revisions.before;
  const currentRevision = rolledOut ? revisions.update : before;
  const current = pods.filter((pod) => revisionOf(pod) === currentRevision && !goes(pod)).length;
  bench.updateStatus(set, {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    ...(ready.length > 0 && { readyReplicas: ready.length }),
    availableReplicas: waits.filter((ms) => ms === 0).length,
    ...(current > 0 && { currentReplicas: current }),
    ...(updated > 0 && { updatedReplicas: updated }),
    currentRevision,
    updateRevision: revisions.update,
    collisionCount: 0,
  });
  const pending = waits.filter((ms) => ms > 0);
  return pending.length === 0 ? undefined : Math.min(...pending);
}

/** Keeps the numbered pods of a StatefulSet, with their claims, in order. */
export const statefulSets = (bench: Workbench): Controller => ({
  name: 'statefulset',
  concerns: (event) => {
    const { object } = event;
    if (event.resource === resource) return [keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')];
    return event.resource === 'pods' ? ownerKey(object, 'StatefulSet') : [];
  },
  reconcile: (key) => {
    const set = bench.get({ resource, ...splitKey(key) });
    if (set === undefined) return undefined;
    const revisions = keepRevisions(set, bench);
    const pods = new Map(bench.controlled(set, 'Pod').map((pod) => [ordinalOf(pod), pod] as const));
    if (set.metadata.deletionTimestamp === undefined) {
      keepClaimOwners(set, pods, bench);
      step({ set, pods, revisions }, bench);
    }
    return writeStatus(set, revisions, bench);
  },
});
