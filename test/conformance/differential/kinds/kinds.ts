import { coreKinds } from './core.ts';
import type { TestedKind } from './field.ts';
import { platformKinds } from './platform.ts';
import { widget } from './widget.ts';
import { workloadKinds } from './workloads.ts';

/** All kinds that take part. A seed plays the same sequences as long as their order stays. */
export const testedKinds: readonly TestedKind[] = [...coreKinds, ...workloadKinds, ...platformKinds, widget];
