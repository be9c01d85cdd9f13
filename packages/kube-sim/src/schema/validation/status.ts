import type { KubeObject } from '@tiphys/api';
import { numberIn, partOf, type Faults } from './faults.ts';

/** Counts that a status has: none is negative, some are no larger than others. */
type CountRules = Readonly<{
  counts: readonly string[];
  /** `[count, of, as the message names that]`: what may not exceed what. */
  within: readonly (readonly [count: string, of: string, shown: string])[];
}>;

const ofReplicas = (...counts: readonly string[]): CountRules['within'] =>
  counts.map((count) => [count, 'replicas', 'status.replicas'] as const);

const rules: Readonly<Record<string, CountRules>> = {
  'apps/Deployment': {
    counts: ['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'].concat(
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ),
    within: [
      ...ofReplicas('updatedReplicas', 'readyReplicas', 'availableReplicas'),
      ['availableReplicas', 'readyReplicas', 'readyReplicas'],
    ],
  },
  'apps/ReplicaSet': {
    counts: ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'],
    within: [
      ...ofReplicas('fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'),
      ['availableReplicas', 'readyReplicas', 'readyReplicas'],
    ],
  },
  'apps/StatefulSet': {
    counts: ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'].concat(
      'observedGeneration',
      'collisionCount',
    ),
    within: [
      ...ofReplicas('readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'),
      ['availableReplicas', 'readyReplicas', 'status.readyReplicas'],
    ],
  },
  'apps/DaemonSet': {
    counts: ['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady'].concat(
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
    ),
    within: [],
  },
};

/** What is wrong with a status that somebody writes. */
export function checkStatus(object: KubeObject, kind: string, faults: Faults): void {
  const rule = rules[kind];
  if (rule === undefined) return;
  const status = partOf(object, 'status');
  for (const count of rule.counts) faults.notNegative(`status.${count}`, status[count]);
  for (const [count, of, shown] of rule.within) {
    const value = numberIn(status, count) ?? 0;
    if (value > (numberIn(status, of) ?? 0))
      faults.invalid(`status.${count}`, value, `cannot be greater than ${shown}`);
  }
}
