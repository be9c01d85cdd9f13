import { conditionsOf } from './conditions.ts';
import { verdict, type Assess, type HealthStatus } from './health.ts';

/** One clause of a check: a condition by type and status, and what it decides. */
type Clause = readonly [type: string, status: 'True' | 'False', HealthStatus];

/**
 * A check that walks over the conditions in their order; the first that a clause speaks of decides, with its message. Each list of
 * clauses is a walk of its own, made when those before have decided nothing.
 */
export function byConditions(walks: readonly (readonly Clause[])[], otherwise: string): Assess {
  return (live) => {
    for (const clauses of walks)
      for (const condition of conditionsOf(live)) {
        const clause = clauses.find(([type, status]) => type === condition.type && status === condition.status);
        if (clause !== undefined) return verdict(clause[2], condition.message);
      }
    return verdict('Progressing', otherwise);
  };
}

const ready: readonly Clause[] = [
  ['Ready', 'False', 'Degraded'],
  ['Ready', 'True', 'Healthy'],
];

/** cert-manager.io/Certificate (requirement HEALTH-23). */
export const assessCertificate = byConditions([[['Issuing', 'True', 'Progressing']], ready], 'Waiting for certificate');

/** external-secrets.io/ExternalSecret (requirement HEALTH-23). */
export const assessExternalSecret = byConditions([ready], 'Waiting for ExternalSecret');

/** bitnami.com/SealedSecret (requirement HEALTH-23). */
export const assessSealedSecret = byConditions(
  [
    [
      ['Synced', 'False', 'Degraded'],
      ['Synced', 'True', 'Healthy'],
    ],
  ],
  'Waiting for Sealed Secret to be decrypted',
);
