import { numberAt, type KubeObject } from '@tiphys/api';

/** Whether the controller of a kind has seen the current spec: its status says nothing about it before. */
export const isObserved = (live: KubeObject): boolean =>
  (numberAt(live, 'metadata', 'generation') ?? 0) <= (numberAt(live, 'status', 'observedGeneration') ?? 0);
