import type { KubeObject } from '@tiphys/api';
import { hookFinalizer } from './marks.ts';

/** Whether our finalizer holds an object. */
export const hasFinalizer = (object: KubeObject | undefined): boolean =>
  object?.metadata.finalizers?.includes(hookFinalizer) === true;
