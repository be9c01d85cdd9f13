import type { Because, OperationState } from '@tiphys/api';
import type { Pass } from '../context.ts';
import { describeStatus, type StatusFacts } from '../status/describe-status.ts';
import { writeStatus } from '../status/write-status.ts';

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

/** Stores how far an operation came, so that a restart finds it and everybody sees it. */
export const storeProgress = (pass: Pass, { state, given }: Progress, facts: Partial<StatusFacts>): Promise<void> =>
  writeStatus(pass, {
    status: describeStatus(statusWith(pass, given, facts)),
    ...(pass.application.operation === undefined && { operation: state.operation }),
  });

/** Tells what an operation waits for that stays as it is stored. */
export const tellWaiting = (pass: Pass, { state, given }: Progress, because: Because): Promise<void> =>
  writeStatus(pass, {
    status: describeStatus(statusWith(pass, given, { operationState: state, waitingFor: [because] })),
  });
