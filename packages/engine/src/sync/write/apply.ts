import { CodedError, describeKey, equalJson, groupKindText, gvkOf, keyOf, type KubeObject } from '@tiphys/api';
import type { KubeError } from '@tiphys/kube';
import { fieldManager } from '../../diff/ownership.ts';
import { conditionOf } from '../../health/conditions.ts';
import type { ApplyTask, HookTask } from '../types.ts';
import {
  type Done,
  refOf,
  isCode,
  alreadyExists,
  type Call,
  type Variant,
  writeOptions,
  poll,
  read,
  withFresh,
} from './call.ts';
import { clientSidePatch, createdObject, sentObject } from './client-side-patch.ts';
import { migratedFields, needsMigration } from './ownership-migration.ts';
import { asItWas, elsewhere, mayForce, whyNotForced } from './refused-update.ts';
import { formerOwners } from './write-message.ts';

const establishedMs = 3_000;
/** A definition is served a moment after it is established, and discovery follows. */
const servedMs = 10_000;
const goneMs = 60_000;

const isBinding = (object: KubeObject): boolean => /^(?:Cluster)?RoleBinding$/.test(object.kind);
const isDefinition = (object: KubeObject): boolean => object.kind === 'CustomResourceDefinition';

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

export async function applyTask(task: ApplyTask | HookTask, call: Call): Promise<Done> {
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
