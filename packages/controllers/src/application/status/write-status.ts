import { type Application, CodedError, isCoded, type KubeObject, stringAt } from '@tiphys/api';
import type { Pass } from '../context.ts';
import { type Desired, persist } from './persist.ts';

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

/**
 * Stores what a pass found, moves the pass on to what is stored now, and tells of the verdicts that changed.
 * @throws CodedError sync/not-owner while somebody else has the right to write
 */
export async function writeStatus(pass: Pass, desired: Desired): Promise<void> {
  const { context, signal, stored: before } = pass;
  const because = context.ownership.refusal();
  if (because !== undefined) throw new CodedError('sync/not-owner', because.message ?? because.code);
  const after = await persist(before, desired, { client: context.ports.client, store: context.store, signal });
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
