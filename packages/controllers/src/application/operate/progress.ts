import type { OperationState } from '@tiphys/api';
import type { Pass } from '../context.ts';
import type { StatusFacts } from '../status/describe-status.ts';

/** What a pass knows of its application. */
export type Given = Readonly<{ facts: StatusFacts }>;

/** An operation under way in it. */
export type Progress = Readonly<{ state: OperationState; given: Given }>;

/** The facts of a status, with those that an operation has changed. */
export const statusWith = (pass: Pass, { facts }: Given, more: Partial<StatusFacts>): StatusFacts => ({
  ...facts,
  application: pass.application,
  now: pass.context.ports.clock.now(),
  ...more,
});

/** Whether somebody asked for the end while the pass was at work: its own write came back with that. */
export const isTerminated = ({ application }: Pass): boolean =>
  application.status?.operationState?.phase === 'Terminating';
