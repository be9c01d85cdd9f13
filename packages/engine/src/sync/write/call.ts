import { CodedError, describeKey, gvkOf, type KubeObject, parseApiVersion, type ResourceKey } from '@tiphys/api';
import { KubeError, type ObjectRef, type WriteOptions } from '@tiphys/kube';
import { fieldManager } from '../../diff/ownership.ts';
import type { TaskOptions } from '../types.ts';
import type { DeploymentRecord, WriteContext, WriterPorts, WriterSettings, Written } from './types.ts';
import { isMissingNamespace, refusalText, writeMessage } from './write-message.ts';

/** How often a write is made anew because the object changed in between. */
export const maxAttempts = 5;
export const pollMs = 100;

type Action = DeploymentRecord['action'];
/** A write that succeeded; what the ledger and the result tell of it. */
export type Done = Readonly<{ action: Action; what: string; object: KubeObject | undefined; changed: boolean }>;

export const refOf = (object: KubeObject): ObjectRef => ({
  gvk: gvkOf(object),
  namespace: object.metadata.namespace,
  name: object.metadata.name ?? '',
});

export const isCode = (error: unknown, ...codes: string[]): error is KubeError =>
  error instanceof KubeError && codes.includes(error.code);
export const alreadyExists = (error: unknown): boolean => isCode(error, 'kube/already-exists');
export const changedMeanwhile = (error: unknown): boolean => isCode(error, 'kube/conflict');

/** One write: the ports, the settings, and on whose behalf. */
export type Call = Readonly<{ ports: WriterPorts; settings: WriterSettings; context: WriteContext }>;
/** One apply: a call, and how the object is to be written. */
export type Variant = Call & Readonly<{ options: TaskOptions }>;

export const writeOptions = ({ context }: Call, validate = true): WriteOptions => ({
  signal: context.signal,
  fieldManager,
  fieldValidation: validate ? 'Strict' : 'Ignore',
  ...(context.dryRun && { dryRun: true }),
});

/** The gate in front of every write (design decision 16). */
function guard({ ports, settings, context }: Call): void {
  if (context.dryRun) return;
  if (settings.readOnly) throw new CodedError('sync/read-only', `cluster ${settings.cluster} is read-only here`);
  const because = ports.mayWrite();
  if (because !== undefined)
    throw new CodedError('sync/not-owner', because.message ?? `this process may not write to ${settings.cluster} now`);
}

function tell(
  call: Call,
  key: ResourceKey,
  what: Pick<DeploymentRecord, 'action' | 'outcome' | 'message' | 'resourceVersion'>,
): void {
  const { ports, settings, context } = call;
  if (context.dryRun) return;
  const { application, revision, initiatedBy } = context;
  const at = ports.clock.now().toISOString();
  ports.record({ at, cluster: settings.cluster, application, revision, initiatedBy, key, ...what });
}

/** Runs one write, tells the ledger and the live side of it, and turns an API error into an outcome. */
export async function write(key: ResourceKey, call: Call, run: () => Promise<Done>): Promise<Written> {
  const { context, ports } = call;
  guard(call);
  try {
    const { action, what, object, changed } = await run();
    const said = action === 'delete' ? what : writeMessage(key, what);
    const message = `${said}${context.dryRun ? ' (dry run)' : ''}`;
    if (!changed || context.dryRun) return { kind: 'done', message, changed: false, object };
    tell(call, key, { action, outcome: 'done', message, resourceVersion: object?.metadata.resourceVersion });
    if (object !== undefined) ports.noted?.written(object);
    return { kind: 'done', message, changed, object };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof CodedError) || error.code === 'sync/not-owner' || error.code === 'sync/read-only')
      throw error;
    const message = refusalText(error, key);
    tell(call, key, { action: 'apply', outcome: 'failed', message });
    return { kind: 'failed', message, because: { code: error.code, object: describeKey(key), message } };
  }
}

export async function poll({ ports, context }: Call, forMs: number, done: () => Promise<boolean>): Promise<boolean> {
  const end = ports.clock.now().getTime() + forMs;
  while (!(await done())) {
    if (ports.clock.now().getTime() >= end) return false;
    await ports.clock.sleep(pollMs, context.signal);
  }
  return true;
}

export const read = (object: KubeObject, { ports, context }: Call): Promise<KubeObject | undefined> =>
  ports.client.get(refOf(object), { signal: context.signal });

/**
 * A live object as it stands now, in whatever version its kind is served: the one in which it was seen may not be served any more.
 * Undefined when it is gone, alone or with its kind.
 */
export async function readStanding(seen: KubeObject, call: Call): Promise<KubeObject | undefined> {
  const { client } = call.ports;
  const { signal } = call.context;
  const { group, kind } = gvkOf(seen);
  let { version } = gvkOf(seen);
  for (let attempt = 1; ; attempt += 1)
    try {
      return await client.get({ ...refOf(seen), gvk: { group, version, kind } }, { signal });
    } catch (error) {
      if (!isCode(error, 'kube/kind-not-found')) throw error;
      const { byGroupKind, failedGroups } = await client.discovery({ signal, fresh: true });
      const served = byGroupKind({ group, kind });
      if (failedGroups.some((one) => parseApiVersion(one).group === group)) throw error;
      if (served === undefined) return undefined;
      if (attempt >= maxAttempts) throw error;
      // The list of what is served lags behind what is served for a moment.
      if (served.version === version) await call.ports.clock.sleep(pollMs, signal);
      ({ version } = served);
    }
}

/** The first try uses the object as it was seen; if it changed since, it is read and the write is made again. */
export async function withFresh<T>(
  object: KubeObject,
  seen: Readonly<{ live: KubeObject | undefined; call: Call }>,
  run: (live: KubeObject | undefined) => Promise<T>,
): Promise<T> {
  let { live } = seen;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run(live);
    } catch (error) {
      const vanished = live !== undefined && isCode(error, 'kube/not-found') && !isMissingNamespace(error);
      if (!(changedMeanwhile(error) || alreadyExists(error) || vanished) || attempt >= maxAttempts) throw error;
      live = await read(object, seen.call);
    }
  }
}
