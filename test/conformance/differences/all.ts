import { celDifferences } from './cel.ts';
import { controllers } from './controllers.ts';
import type { Difference } from './difference.ts';
import { jobs } from './jobs.ts';
import { server } from './server.ts';
import { simulated } from './simulated.ts';
import { validation } from './validation.ts';

/** One for each entry of packages/kube-sim/DIFFERENCES.md. */
export const differences: readonly Difference[] = [
  ...simulated,
  ...controllers,
  ...jobs,
  ...server,
  ...validation,
  ...celDifferences,
];
