export { desiredOf, liveOf, type Change, type Difference, type LiveObjects } from './diff/change.ts';
export { healthOrder, isWorse, type Assess, type Health, type HealthStatus } from './health/health.ts';
export type * from './sync/types.ts';
export { hookDeletePolicies, hookTypes, syncPhases } from './sync/types.ts';
export { aggregateHealth, type Assessed } from './health/aggregate.ts';
export { assess, hasHealthCheck } from './health/built-in.ts';
export { hookFinalizer, marks } from './sync/marks.ts';
