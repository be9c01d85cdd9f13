import {
  CodedError,
  describeKey,
  equalJson,
  groupKindText,
  gvkOf,
  keyOf,
  type KubeObject,
  parseApiVersion,
  type ResourceKey,
  stringAt,
  trackedBy,
} from '@tiphys/api';
import { KubeError, type ObjectRef, type WriteOptions } from '@tiphys/kube';
import { fieldManager } from '../diff/ownership.ts';
import { conditionOf } from '../health/conditions.ts';
import { objectsGoingWith } from './cascade.ts';
import { clientSidePatch, createdObject, sentObject } from './client-side-patch.ts';
import { hasFinalizer } from './hook-object.ts';
import { hookFinalizer } from './marks.ts';
import { migratedFields, needsMigration } from './ownership-migration.ts';
import { asItWas, elsewhere, mayForce, whyNotForced } from './refused-update.ts';
import type { ApplyTask, HookTask, NamespaceTask, PruneTask, TaskOptions } from './types.ts';
import { patchAsSeen } from './patch-as-seen.ts';
import { formerOwners, isMissingNamespace, refusalText, writeMessage } from './write-message.ts';
import type {
  ClusterWriter,
  DeploymentRecord,
  NamedPatch,
  WriteContext,
  WriterPorts,
  WriterSettings,
  Written,
} from './writer-types.ts';

/** How often a write is made anew because the object changed in between. */
const maxAttempts = 5;
const pollMs = 100;
const establishedMs = 3_000;
/** A definition is served a moment after it is established, and discovery follows. */
const servedMs = 10_000;
const goneMs = 60_000;

type Action = DeploymentRecord['action'];
/** A write that succeeded; what the ledger and the result tell of it. */
type Done = Readonly<{ action: Action; what: string; object: KubeObject | undefined; changed: boolean }>;

const refOf = (object: KubeObject): ObjectRef => ({
  gvk: gvkOf(object),
  namespace: object.metadata.namespace,
  name: object.metadata.name ?? '',
});

const isCode = (error: unknown, ...codes: string[]): error is KubeError =>
  error instanceof KubeError && codes.includes(error.code);
const alreadyExists = (error: unknown): boolean => isCode(error, 'kube/already-exists');
const changedMeanwhile = (error: unknown): boolean => isCode(error, 'kube/conflict');

const isBinding = (object: KubeObject): boolean => /^(?:Cluster)?RoleBinding$/.test(object.kind);
const isDefinition = (object: KubeObject): boolean => object.kind === 'CustomResourceDefinition';

/** One write: the ports, the settings, and on whose behalf. */
type Call = Readonly<{ ports: WriterPorts; settings: WriterSettings; context: WriteContext }>;
/** One apply: a call, and how the object is to be written. */
type Variant = Call & Readonly<{ options: TaskOptions }>;

const writeOptions = ({ context }: Call, validate = true): WriteOptions => ({
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
async function write(key: ResourceKey, call: Call, run: () => Promise<Done>): Promise<Written> {
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

async function poll({ ports, context }: Call, forMs: number, done: () => Promise<boolean>): Promise<boolean> {
  const end = ports.clock.now().getTime() + forMs;
  while (!(await done())) {
    if (ports.clock.now().getTime() >= end) return false;
    await ports.clock.sleep(pollMs, context.signal);
  }
  return true;
}

const read = (object: KubeObject, { ports, context }: Call): Promise<KubeObject | undefined> =>
  ports.client.get(refOf(object), { signal: context.signal });

/**
 * A live object as it stands now, in whatever version its kind is served: the one in which it was seen may not be served any more.
 * Undefined when it is gone, alone or with its kind.
 */
async function readStanding(seen: KubeObject, call: Call): Promise<KubeObject | undefined> {
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
async function withFresh<T>(
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

async function create(object: KubeObject, variant: Variant): Promise<Done> {
  const { client } = variant.ports;
  const made = await client.create(object, writeOptions(variant, variant.options.validate));
  return { action: 'create', what: 'created', object: made, changed: true };
}

async function clientSide(object: KubeObject, live: KubeObject | undefined, variant: Variant): Promise<Done> {
  const { client } = variant.ports;
  if (live === undefined) return create(createdObject(object), variant);
  // A binding's role cannot be changed in place (contract 3.4, RBAC kinds).
  if (isBinding(object) && !equalJson(live['roleRef'], object['roleRef'])) return recreate(object, live, variant);
  const body = clientSidePatch(object, live);
  if (body === undefined) return { action: 'update', what: 'unchanged', object: live, changed: false };
  const updated = await client.patch(
    refOf(object),
    { type: 'merge', body },
    writeOptions(variant, variant.options.validate),
  );
  const changed = updated.metadata.resourceVersion !== live.metadata.resourceVersion;
  return { action: 'update', what: changed ? 'configured' : 'unchanged', object: updated, changed };
}

async function replace(object: KubeObject, live: KubeObject | undefined, variant: Variant): Promise<Done> {
  const { client } = variant.ports;
  const sent = sentObject(object);
  if (live === undefined) return create(sent, variant);
  const { resourceVersion, uid } = live.metadata;
  const identity = { ...(resourceVersion !== undefined && { resourceVersion }), ...(uid !== undefined && { uid }) };
  const body: KubeObject = { ...sent, metadata: { ...sent.metadata, ...identity } };
  const replaced = await client.replace(body, writeOptions(variant, variant.options.validate));
  const changed = replaced.metadata.resourceVersion !== resourceVersion;
  return { action: 'replace', what: changed ? 'replaced' : 'unchanged', object: replaced, changed };
}

async function serverSide(object: KubeObject, live: KubeObject | undefined, variant: Variant): Promise<Done> {
  const { client } = variant.ports;
  if (live !== undefined && !variant.context.dryRun) await migrate(object, live, variant);
  const sent = sentObject(object);
  const request = { ...writeOptions(variant, variant.options.validate), fieldManager };
  let applied: KubeObject;
  let taken = '';
  try {
    applied = await client.apply(sent, request);
  } catch (error) {
    if (!isCode(error, 'kube/conflict') || error.detail.causes.length === 0) throw error;
    taken = ` (took over ${formerOwners(error.detail.causes)})`;
    applied = await client.apply(sent, { ...request, force: true });
  }
  const changed = applied.metadata.resourceVersion !== live?.metadata.resourceVersion;
  return { action: 'apply', what: changed ? `serverside-applied${taken}` : 'unchanged', object: applied, changed };
}

/** Moves what client-side apply held to our server-side entry, once. */
async function migrate(object: KubeObject, seen: KubeObject, variant: Variant): Promise<void> {
  const { client } = variant.ports;
  const from = variant.options.migrateFrom;
  if (from === undefined || !needsMigration(seen, from)) return;
  await withFresh(object, { live: undefined, call: variant }, async (known) => {
    // The cache leaves out other managers' entries: they must be read before they are written.
    const live = known ?? (await read(object, variant));
    if (live === undefined || !needsMigration(live, from)) return;
    const { resourceVersion } = live.metadata;
    const body = { metadata: { resourceVersion, managedFields: migratedFields(live, from) } };
    await client.patch(refOf(object), { type: 'merge', body }, { signal: variant.context.signal });
  });
}

/** Creation is tried under another name, since the API server cannot try it in the place of an object that stands. */
async function requireCreatable(object: KubeObject, refused: KubeError, variant: Variant): Promise<void> {
  try {
    const options = writeOptions(variant, variant.options.validate);
    await variant.ports.client.create(elsewhere(object), { ...options, dryRun: true });
  } catch (error) {
    const why = whyNotForced(refused, error);
    if (why !== undefined) throw why;
  }
}

/** Creates in the place of an object that was deleted for it; when that fails, what was there comes back, as `kubectl` does it. */
async function createInPlaceOf(before: KubeObject, object: KubeObject, variant: Variant): Promise<KubeObject> {
  try {
    return await variant.ports.client.create(createdObject(object), writeOptions(variant, variant.options.validate));
  } catch (error) {
    const lost = alreadyExists(error) ? undefined : asItWas(before);
    if (lost !== undefined) await variant.ports.client.create(lost, writeOptions(variant, false));
    throw error;
  }
}

async function recreate(object: KubeObject, live: KubeObject, variant: Variant): Promise<Done> {
  const { context, ports } = variant;
  const done = { action: 'recreate', what: 'deleted and created', changed: true } as const;
  if (context.dryRun) return { ...done, object: live };
  // The cache leaves out parts that must come back with it.
  const before = (await read(live, variant)) ?? live;
  const { uid } = live.metadata;
  const propagationPolicy = context.propagation === 'Orphan' ? 'Background' : context.propagation;
  await ports.client.delete(refOf(live), { signal: context.signal, propagationPolicy, preconditions: { uid } });
  const left = await poll(variant, goneMs, async () => (await read(live, variant))?.metadata.uid !== uid);
  const standing = `${describeKey(keyOf(live))} is still there ${goneMs / 1000} s after it was deleted`;
  if (!left) throw new CodedError('kube/timeout', standing);
  return { ...done, object: await createInPlaceOf(before, object, variant) };
}

const variants = { 'client-side': clientSide, 'server-side': serverSide, replace };

async function applyVariant(task: ApplyTask | HookTask, live: KubeObject | undefined, call: Call): Promise<Done> {
  const { object, options } = task;
  const variant: Variant = { ...call, options };
  try {
    return await variants[options.apply](object, live, variant);
  } catch (error) {
    if (!options.force || live === undefined || !mayForce(live, error)) throw error;
    await requireCreatable(object, error, variant);
    return recreate(object, live, variant);
  }
}

/** After a definition: until it is established, and the client knows what it serves. */
async function awaitEstablished(definition: KubeObject, call: Call): Promise<void> {
  await poll(call, establishedMs, async () => {
    const live = await read(definition, call);
    return live !== undefined && conditionOf(live, 'Established')?.status === 'True';
  });
  await call.ports.client.discovery({ signal: call.context.signal, fresh: true });
}

/**
 * Looks anew where a kind or version is not known: it may be served since a moment. One that a definition of this very operation
 * brings is waited for.
 */
async function awaitServed(object: KubeObject, call: Call): Promise<void> {
  const { ports, context } = call;
  const gvk = gvkOf(object);
  if ((await ports.client.discovery({ signal: context.signal })).find(gvk) !== undefined) return;
  const comes = context.definitions.has(groupKindText(gvk));
  if (comes && context.dryRun) return;
  await poll(call, comes ? servedMs : 0, async () => {
    const discovery = await ports.client.discovery({ signal: context.signal, fresh: true });
    return discovery.find(gvk) !== undefined;
  });
}

async function applyTask(task: ApplyTask | HookTask, call: Call): Promise<Done> {
  const { object } = task;
  await awaitServed(object, call);
  if (task.kind === 'hook' && call.context.dryRun) return tryHook(task, call);
  const live = task.kind === 'apply' ? task.live : undefined;
  const done = await withFresh(object, { live, call }, (fresh) => applyVariant(task, fresh, call));
  if (isDefinition(object) && done.changed && !call.context.dryRun) await awaitEstablished(object, call);
  return done;
}

/** The dry run of a hook: an earlier run that still stands is no obstacle, it goes before. The API server validates first. */
async function tryHook(task: HookTask, call: Call): Promise<Done> {
  try {
    return await create(createdObject(task.object), { ...call, options: task.options });
  } catch (error) {
    if (!alreadyExists(error)) throw error;
    return { action: 'create', what: 'created', object: task.object, changed: false };
  }
}

/** Deletes an object after a last look: it must be the one that was meant, and still ours. */
async function deleteOurs(seen: KubeObject, call: Call, mayBeUnmarked: boolean): Promise<Done> {
  const { client } = call.ports;
  const { context, settings } = call;
  for (let attempt = 1; ; attempt += 1) {
    const live = await readStanding(seen, call);
    const another = seen.metadata.uid !== undefined && live?.metadata.uid !== seen.metadata.uid;
    if (live === undefined || another) return gone(seen, call);
    const owner = trackedBy(live, settings.tracking);
    if (owner !== context.application && !(mayBeUnmarked && owner === undefined))
      throw new CodedError(
        'sync/not-ours',
        `${describeKey(keyOf(live))} is not deleted: it belongs to ${owner ?? 'no application'}`,
      );
    const pruned = { action: 'delete', what: 'pruned' } as const;
    if (live.metadata.deletionTimestamp !== undefined) return { ...pruned, object: live, changed: false };
    const { uid, resourceVersion } = live.metadata;
    try {
      const outcome = await client.delete(refOf(live), {
        signal: context.signal,
        propagationPolicy: context.propagation,
        gracePeriodSeconds: context.gracePeriodSeconds,
        preconditions: { uid, resourceVersion },
        ...(context.dryRun && { dryRun: true }),
      });
      if (context.dryRun) return { ...pruned, what: await prunedWith(live, call), object: live, changed: false };
      const left = outcome === 'deleting' ? await read(live, call) : undefined;
      return left === undefined || left.metadata.uid !== uid
        ? gone(live, call)
        : { ...pruned, object: left, changed: true };
    } catch (error) {
      if (!changedMeanwhile(error) || attempt >= maxAttempts) throw error;
    }
  }
}

/** `pruned`, and before it is done how much goes with it. */
async function prunedWith(live: KubeObject, { ports, context }: Call): Promise<string> {
  const more = await objectsGoingWith(live, ({ namespace, name }) =>
    ports.client.get({ gvk: gvkOf(live), namespace, name }, { signal: context.signal }),
  );
  return more === 0 ? 'pruned' : `pruned, and with it ${more} ${more === 1 ? 'object' : 'objects'} of its own`;
}

function gone(live: KubeObject, { ports, context }: Call): Done {
  if (!context.dryRun) ports.noted?.deleted(live);
  return { action: 'delete', what: 'pruned', object: undefined, changed: true };
}

/** Takes our finalizer off an object; undefined when the object is gone. */
async function release(object: KubeObject, call: Call): Promise<KubeObject | undefined> {
  const { client } = call.ports;
  return withFresh(object, { live: undefined, call }, async (known) => {
    const live = known ?? (await readStanding(object, call));
    if (live === undefined || !hasFinalizer(live)) return live;
    const finalizers = (live.metadata.finalizers ?? []).filter((one) => one !== hookFinalizer);
    const { uid, resourceVersion } = live.metadata;
    const body = { metadata: { uid, resourceVersion, finalizers } };
    try {
      const released = await client.patch(
        refOf(live),
        { type: 'merge', body },
        { signal: call.context.signal, fieldManager },
      );
      // The last finalizer of an object that is being deleted: the answer is its last form.
      return released.metadata.deletionTimestamp === undefined ? released : await readStanding(live, call);
    } catch (error) {
      if (isCode(error, 'kube/not-found')) return undefined;
      throw error;
    }
  });
}

async function removeHook(hook: HookTask, call: Call): Promise<Done> {
  const live = await readStanding(hook.object, call);
  if (live === undefined) return gone(hook.object, call);
  const owner = trackedBy(live, call.settings.tracking);
  // A hook that another tool once ran carries no mark; one of another application is left alone.
  if (owner !== undefined && owner !== call.context.application)
    throw new CodedError('sync/not-ours', `hook ${describeKey(hook.key)} belongs to ${owner}`);
  const released = await release(hook.object, call);
  return released === undefined ? gone(live, call) : deleteOurs(released, call, true);
}

/** Deletes a live object of an application that goes: a hook that an operation left is released first. */
async function remove(live: KubeObject, call: Call): Promise<Done> {
  const ours = trackedBy(live, call.settings.tracking) === call.context.application;
  if (!ours || !hasFinalizer(live)) return deleteOurs(live, call, false);
  const released = await release(live, call);
  return released === undefined ? gone(live, call) : deleteOurs(released, call, false);
}

/** Patches an object after a last look, which the patch holds to: the mark may be another application's a moment later. */
async function patchOurs(seen: KubeObject, patch: NamedPatch, call: Call): Promise<Done> {
  for (let attempt = 1; ; attempt += 1) {
    const live = await readStanding(seen, call);
    if (live === undefined)
      throw new CodedError('operation/not-found', `${describeKey(keyOf(seen))} is not there any more`);
    const owner = trackedBy(live, call.settings.tracking);
    if (owner !== call.context.application)
      throw new CodedError(
        'sync/not-ours',
        `${describeKey(keyOf(live))} is not patched: it belongs to ${owner ?? 'no application'}`,
      );
    try {
      const patched = await call.ports.client.patch(refOf(live), patchAsSeen(patch, live), writeOptions(call));
      const changed = patched.metadata.resourceVersion !== live.metadata.resourceVersion;
      return { action: 'update', what: changed ? 'patched' : 'unchanged', object: patched, changed };
    } catch (error) {
      if (!changedMeanwhile(error) || attempt >= maxAttempts) throw error;
    }
  }
}

async function releaseHook(hook: Pick<HookTask, 'object'>, call: Call): Promise<Done> {
  const object = await release(hook.object, call);
  if (object === undefined) call.ports.noted?.deleted(hook.object);
  return { action: 'release-hook', what: 'released', object, changed: object !== undefined };
}

async function ensureNamespace({ name, metadata }: NamespaceTask, call: Call): Promise<Done> {
  const { client } = call.ports;
  const object: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { ...metadata, name } };
  const live = await read(object, call);
  const wanted = metadata?.labels !== undefined || metadata?.annotations !== undefined;
  const action = 'create-namespace';
  if (live !== undefined && !wanted) return { action, what: 'unchanged', object: live, changed: false };
  const made = wanted
    ? await client.apply(object, { ...writeOptions(call), fieldManager, force: true })
    : await client.create(object, writeOptions(call));
  const changed = made.metadata.resourceVersion !== live?.metadata.resourceVersion;
  return { action, what: live === undefined ? 'created' : changed ? 'configured' : 'unchanged', object: made, changed };
}

async function prune(task: PruneTask, call: Call): Promise<Written> {
  const { maxPrune } = call.settings;
  const { pruneCount } = call.context;
  if (maxPrune === undefined || pruneCount <= maxPrune)
    return write(task.key, call, () => deleteOurs(task.live, call, false));
  const message = `not pruned: the operation would delete ${pruneCount} objects, and at most ${maxPrune} are allowed`;
  return { kind: 'failed', message, because: { code: 'prune-budget', object: describeKey(task.key), message } };
}

/** Opens the one way in which a cluster is changed. */
export function openClusterWriter(ports: WriterPorts, settings: WriterSettings): ClusterWriter {
  const callFor = (context: WriteContext): Call => ({ ports, settings, context });
  const namespaceKey = (name: string): ResourceKey => ({ group: '', kind: 'Namespace', namespace: '', name });
  return {
    apply: (task, context) => write(task.key, callFor(context), () => applyTask(task, callFor(context))),
    prune: (task, context) => prune(task, callFor(context)),
    ensureNamespace: (task, context) =>
      write(namespaceKey(task.name), callFor(context), () => ensureNamespace(task, callFor(context))),
    releaseHook: (hook, context) => write(hook.key, callFor(context), () => releaseHook(hook, callFor(context))),
    removeHook: (hook, context) => write(hook.key, callFor(context), () => removeHook(hook, callFor(context))),
    remove: (live, context) => write(keyOf(live), callFor(context), () => remove(live, callFor(context))),
    patch: (live, patch, context) =>
      write(keyOf(live), callFor(context), () => patchOurs(live, patch, callFor(context))),
  };
}

/** What a definition defines, as `group/Kind`. */
export const definedKind = (definition: KubeObject): string =>
  groupKindText({
    group: stringAt(definition, 'spec', 'group') ?? '',
    kind: stringAt(definition, 'spec', 'names', 'kind') ?? '',
  });
