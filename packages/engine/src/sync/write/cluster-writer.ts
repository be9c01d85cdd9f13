import {
  CodedError,
  describeKey,
  groupKindText,
  keyOf,
  type KubeObject,
  type ResourceKey,
  stringAt,
  trackedBy,
} from '@tiphys/api';
import { fieldManager } from '../../diff/ownership.ts';
import type { NamespaceTask, PruneTask } from '../types.ts';
import { applyTask } from './apply.ts';
import {
  maxAttempts,
  type Done,
  refOf,
  changedMeanwhile,
  type Call,
  writeOptions,
  write,
  read,
  readStanding,
} from './call.ts';
import { patchAsSeen } from './patch-as-seen.ts';
import { deleteOurs, removeHook, remove, releaseHook } from './remove.ts';
import type { ClusterWriter, NamedPatch, WriteContext, WriterPorts, WriterSettings, Written } from './types.ts';

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
