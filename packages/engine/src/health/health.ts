import type { KubeObject } from '@tiphys/api';

/** How an object fares, best first (contract 5). */
export const healthOrder = ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown'] as const;

/** `Healthy` works, `Progressing` is on its way, `Degraded` failed, `Suspended` is paused, `Missing` is absent, `Unknown` cannot be assessed. */
export type HealthStatus = (typeof healthOrder)[number];

/** A verdict on one object or on an application. `message` is for people and may be absent. */
export type Health = Readonly<{ status: HealthStatus; message?: string }>;

/** A check of one kind: a pure function of the live object. */
export type Assess = (live: KubeObject) => Health | undefined;

/** Whether `a` is the worse of two verdicts. */
export const isWorse = (a: HealthStatus, b: HealthStatus): boolean => healthOrder.indexOf(a) > healthOrder.indexOf(b);

/** A verdict with a message only where there is one. */
export const verdict = (status: HealthStatus, message = ''): Health =>
  message === '' ? { status } : { status, message };
