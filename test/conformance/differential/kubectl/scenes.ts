import { apply } from './scenes/apply.ts';
import { create } from './scenes/create.ts';
import { custom } from './scenes/custom.ts';
import { policies } from './scenes/policies.ts';
import { read } from './scenes/read.ts';
import { rights } from './scenes/rights.ts';
import { workloads } from './scenes/workloads.ts';
import type { Scene } from './session.ts';

export const scenes: readonly Scene[] = [workloads, create, apply, read, custom, policies, rights];
