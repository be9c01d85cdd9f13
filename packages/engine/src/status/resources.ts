import { gvkOf, type KubeObject, type ResourceStatus } from '@tiphys/api';
import { desiredOf, liveOf, type Change } from '../diff/change.ts';
import { aggregateHealth, type Assessed } from '../health/aggregate.ts';
import type { Health } from '../health/health.ts';
import { waveOf } from '../sync/hooks.ts';
import { marks } from '../sync/marks.ts';
import { confirmsDelete, taskOptions } from '../sync/options.ts';

/** A change with the health of its live object. */
export type AssessedChange = Readonly<{ change: Change; health: Health | undefined }>;

/** An object that is desired and not there is Missing, whatever its kind; what is there fares as its check says. */
export const assessChanges = (
  changes: readonly Change[],
  assess: (live: KubeObject) => Health | undefined,
): readonly AssessedChange[] =>
  changes.map((change) => {
    const live = liveOf(change);
    return { change, health: live === undefined ? { status: 'Missing' } : assess(live) };
  });

const syncStatusOf = ({ kind }: Change): ResourceStatus['status'] => {
  switch (kind) {
    case 'create':
    case 'update':
    case 'prune':
      return 'OutOfSync';
    case 'keep':
    case 'ignore':
      return 'Synced';
    case 'hook':
      return undefined;
  }
};

const noOptions = new Map<string, string>();

/** Whether somebody has to approve before the object goes: with its application, or because it left the source. */
const needsApproval = (object: KubeObject, { kind }: Change): boolean =>
  confirmsDelete(object, noOptions) ||
  (kind === 'prune' && taskOptions(object, noOptions, false).options.prune === 'confirm');

/** One row of `status.resources` (contract 1.5). Health is left out unless it is to be stored with the resource. */
function resourceStatus({ change, health }: AssessedChange, withHealth: boolean): ResourceStatus {
  const object = desiredOf(change) ?? liveOf(change);
  const { group, kind, namespace, name } = change.key;
  const status = syncStatusOf(change);
  const wave = object === undefined ? 0 : waveOf(object).wave;
  const confirm = [desiredOf(change), liveOf(change)].some((one) => one !== undefined && needsApproval(one, change));
  return {
    ...(group !== '' && { group }),
    ...(object !== undefined && { version: gvkOf(object).version }),
    kind,
    ...(namespace !== '' && { namespace }),
    name,
    ...(status !== undefined && { status }),
    ...(withHealth && health !== undefined && { health: { ...health } }),
    ...(change.kind === 'hook' && { hook: true }),
    ...(change.kind === 'prune' && { requiresPruning: true }),
    ...(confirm && { requiresDeletionConfirmation: true }),
    ...(wave !== 0 && { syncWave: wave }),
  };
}

const text = ({ group = '', kind = '', namespace = '', name = '' }: ResourceStatus): string =>
  [group, kind, namespace, name].join('/');

/** `status.resources`, sorted so that the same state gives the same text. */
export const resourceStatuses = (assessed: readonly AssessedChange[], withHealth = true): readonly ResourceStatus[] =>
  assessed
    .map((one) => resourceStatus(one, withHealth))
    .sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));

/** The sync status of the application (contract 4, sync status rule). */
export const syncStatusCode = (changes: readonly Change[]): 'Synced' | 'OutOfSync' =>
  changes.some((change) => syncStatusOf(change) === 'OutOfSync') ? 'OutOfSync' : 'Synced';

/** The health of the application (contract 5.3); extra objects and hooks do not count. */
export function applicationHealth(assessed: readonly AssessedChange[]): Health {
  const counted = assessed.filter(({ change }) => change.kind !== 'ignore');
  return aggregateHealth(
    counted.map(({ change, health }): Assessed => {
      const object = liveOf(change) ?? desiredOf(change);
      const ignored = object?.metadata.annotations?.[marks.ignoreHealthcheck] === 'true';
      return { key: change.key, health, hook: change.kind === 'hook', ignored };
    }),
  );
}
