import type { KubeObject } from '@tiphys/api';
import { stringAt } from '@tiphys/api';
import type { Pass } from './context.ts';
import { type Desired, persist } from './persist.ts';

/** What people are told of by an event (contract 3.12). */
const told = [
  { field: 'sync', name: 'sync status' },
  { field: 'health', name: 'health status' },
] as const;

const statusOf = (object: KubeObject, field: string): string => stringAt(object, 'status', field, 'status') ?? '';

/** Stores what a pass found, moves the pass on to what is stored now, and leaves an event for each verdict that changed. */
export async function writeStatus(pass: Pass, desired: Desired): Promise<void> {
  const { context, signal, stored: before } = pass;
  pass.stored = await persist(before, desired, { client: context.ports.client, store: context.store, signal });
  pass.application = pass.stored.application;
  for (const { field, name } of told) {
    const [old, now] = [statusOf(before.raw, field), statusOf(pass.stored.raw, field)];
    if (now === '' || old === now) continue;
    const message = `Updated ${name}: ${old} -> ${now}`;
    context.events.record(pass.stored.raw, { type: 'Normal', reason: 'ResourceUpdated', message });
  }
}
