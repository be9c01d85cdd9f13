import { type Application, type ApplicationStatus, CodedError, isCoded, type KubeObject, stringAt } from '@tiphys/api';
import type { Pass } from '../context.ts';
import { fitStatus, sizeOf } from './fit-status.ts';
import { type Desired, persist } from './persist.ts';
import type { StoredApplication } from '../watch/application-store.ts';

/** Verdicts whose changes people are told of by events (contract 3.12). */
const verdicts = [
  { field: 'sync', name: 'sync status' },
  { field: 'health', name: 'health status' },
] as const;

const statusOf = (object: KubeObject, field: string): string => stringAt(object, 'status', field, 'status') ?? '';

/** Leaves an event when a verdict is another than the one that was told last. */
export function tellVerdict(pass: Pass, field: 'sync' | 'health', now: string): void {
  const old = pass.told[field] ?? statusOf(pass.stored.raw, field);
  pass.told[field] = now;
  if (now === '' || old === now) return;
  const name = verdicts.find((verdict) => verdict.field === field)?.name ?? field;
  const message = `Updated ${name}: ${old} -> ${now}`;
  pass.context.events.record(pass.stored.raw, { type: 'Normal', reason: 'ResourceUpdated', message });
}

/** With fewer rows a status is not worth being measured before it is sent. */
const manyRows = 1000;
/** etcd takes 1.5 MiB in one request unless it is told otherwise; managed fields, which we leave out here, are part of that. */
const maxObjectSize = 1_450_000;
const maxTries = 4;

const rowsOf = ({ resources = [], operationState }: ApplicationStatus): number =>
  resources.length + (operationState?.syncResult?.resources ?? []).length;

/** Stores what a pass found, made smaller where it is too large to be stored: an operation goes on, and ends, all the same. */
async function persistFitting(
  { context, signal, stored }: Pass,
  { status, ...desired }: Desired,
): Promise<StoredApplication> {
  const ports = { client: context.ports.client, store: context.store, signal };
  if (status === undefined) return persist(stored, desired, ports);
  const now = context.ports.clock.now();
  const { status: _, ...rest } = stored.raw;
  let maxSize = rowsOf(status) < manyRows ? undefined : maxObjectSize - sizeOf(rest);
  for (let tries = 1; ; tries += 1) {
    const fitted = maxSize === undefined ? status : fitStatus(status, { maxSize, now });
    try {
      return await persist(stored, { ...desired, status: fitted }, ports);
    } catch (error) {
      if (!isCoded(error, 'kube/object-too-large') || tries === maxTries) throw error;
      maxSize = sizeOf(fitted) / 2;
    }
  }
}

/**
 * Stores what a pass found, moves the pass on to what is stored now, and tells of the verdicts that changed.
 * @throws CodedError sync/not-owner while somebody else has the right to write
 */
export async function writeStatus(pass: Pass, desired: Desired): Promise<void> {
  const { context } = pass;
  const because = context.ownership.refusal();
  if (because !== undefined) throw new CodedError('sync/not-owner', because.message ?? because.code);
  const after = await persistFitting(pass, desired);
  for (const { field } of verdicts) tellVerdict(pass, field, statusOf(after.raw, field));
  pass.stored = after;
  pass.application = after.application;
}

/**
 * Stores what is decided on the version that it stands on (an operation that ends, finalizers). A request that came in meanwhile is
 * kept: the application is read anew, and what to store is decided again. One that is gone needs nothing any more.
 */
export async function writeAgainstCurrent(pass: Pass, decide: (application: Application) => Desired): Promise<void> {
  try {
    await writeStatus(pass, decide(pass.application));
  } catch (error) {
    if (!isCoded(error, 'kube/conflict')) throw error;
    const current = await pass.context.reread(pass.key, pass.signal);
    if (current === undefined) return;
    pass.stored = current;
    pass.application = current.application;
    await writeStatus(pass, decide(current.application));
  }
}
