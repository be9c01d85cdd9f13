import { type Application, type Because, describeKey, isCoded, keyOf, type KubeObject, messageOf } from '@tiphys/api';
import {
  type ClusterWriter,
  confirmsDelete,
  keepsOnDelete,
  type LiveView,
  mergeConditions,
  readOptions,
  timeText,
  waveOf,
  type WriteContext,
} from '@tiphys/engine';
import type { Next } from '@tiphys/kube';
import { instanceName } from '@tiphys/operations';
import type { Pass } from './context.ts';
import type { Destination } from './destinations.ts';
import { type Desired, persist } from './persist.ts';

const foreground = ['resources-finalizer.argocd.argoproj.io', 'resources-finalizer.argocd.argoproj.io/foreground'];
const background = 'resources-finalizer.argocd.argoproj.io/background';
const cascading = [...foreground, background];

/** How soon a deletion that waits is looked at when no event wakes it. */
const lookAgainMs = 5_000;
const unreachableMs = 15_000;

/** What a deletion comes to next. */
type Step = Readonly<
  { kind: 'release' } | { kind: 'delete'; objects: readonly KubeObject[] } | { kind: 'wait'; for: readonly Because[] }
>;

const approvedAt = ({ metadata }: Application): number =>
  new Date(metadata.annotations?.['argocd.argoproj.io/deletion-approved'] ?? '').getTime();

/** What of an application's live objects goes with it (contract 3.10): never definitions, never what asks to stay, never itself. */
function doomed(application: Application, live: readonly KubeObject[]): KubeObject[] {
  const self = application.metadata.uid;
  return live.filter(
    (object) =>
      object.kind !== 'CustomResourceDefinition' &&
      object.metadata.uid !== self &&
      (object.metadata.ownerReferences ?? []).length === 0 &&
      !keepsOnDelete(object),
  );
}

/** Objects go in reverse wave order, one wave at a time; a wave is over when its objects are gone. */
export function decideDeletion(application: Application, live: readonly KubeObject[]): Step {
  const objects = doomed(application, live);
  if (objects.length === 0) return { kind: 'release' };
  const deletedAt = new Date(application.metadata.deletionTimestamp ?? '').getTime();
  const { values: options } = readOptions(application.spec.syncPolicy?.syncOptions ?? [], 'syncOptions');
  const unapproved = objects.filter(
    (object) => confirmsDelete(object, options) && !(approvedAt(application) >= deletedAt),
  );
  if (unapproved.length > 0)
    return {
      kind: 'wait',
      for: unapproved.map((object): Because => ({
        code: 'waiting-for-deletion-approval',
        object: describeKey(keyOf(object)),
      })),
    };
  const last = Math.max(...objects.map((object) => waveOf(object).wave));
  const wave = objects.filter((object) => waveOf(object).wave === last);
  const standing = wave.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (standing.length > 0) return { kind: 'delete', objects: standing };
  return {
    kind: 'wait',
    for: wave.map((object): Because => ({ code: 'waiting-for-deletion', object: describeKey(keyOf(object)) })),
  };
}

const store = async (pass: Pass, desired: Desired): Promise<void> => {
  const { context, signal } = pass;
  try {
    pass.stored = await persist(pass.stored, desired, { client: context.ports.client, store: context.store, signal });
    pass.application = pass.stored.application;
  } catch (error) {
    // Without its last finalizer the application is gone before the answer is read.
    if (!isCoded(error, 'kube/not-found')) throw error;
  }
};

const withoutFinalizers = ({ metadata }: Application): string[] =>
  (metadata.finalizers ?? []).filter((name) => !cascading.includes(name));

/** Deletes an application: its objects first when it carries a cascading finalizer, then the finalizer. */
export async function finalize(pass: Pass): Promise<Next> {
  const { application, context, stored } = pass;
  if (!(application.metadata.finalizers ?? []).some((name) => cascading.includes(name))) return {};
  if (!context.destinations.isRegistered(application.spec.destination)) {
    context.events.record(stored.raw, {
      type: 'Warning',
      reason: 'DeletionSkipped',
      message: 'its cluster is no longer registered: the finalizer is taken away, and nothing is deleted',
    });
    await store(pass, { finalizers: withoutFinalizers(application) });
    return {};
  }
  try {
    return await cascade(pass, context.destinations.find(application.spec.destination));
  } catch (error) {
    pass.signal.throwIfAborted();
    if (isCoded(error, 'kube/conflict')) throw error;
    await tell(pass, [messageOf(error)]);
    return { againInMs: unreachableMs };
  }
}

/** Every kind that may hold something of the application: a kind that nobody declares any more is found by the search for marks. */
async function readManaged(pass: Pass, live: LiveView): Promise<readonly KubeObject[]> {
  const { application, context, signal } = pass;
  const resources = application.status?.resources ?? [];
  const results = application.status?.operationState?.syncResult?.resources ?? [];
  await live.ensure(
    [...resources, ...results].map(({ group = '', kind = '' }) => ({ group, kind })),
    signal,
  );
  return live.managed(instanceName(application, context.namespace));
}

async function cascade(pass: Pass, destination: Destination): Promise<Next> {
  const { application, context } = pass;
  const live = await readManaged(pass, destination.live);
  if (!destination.live.complete) return { againInMs: 500 };
  const step = decideDeletion(application, live);
  switch (step.kind) {
    case 'release':
      context.ports.log.info('application deleted', { application: pass.key });
      await store(pass, { finalizers: withoutFinalizers(application) });
      return {};
    case 'wait':
      await tell(pass, [], step.for);
      return { againInMs: lookAgainMs };
    case 'delete': {
      const failures = await removeAll(step.objects, destination.writer, deletionContext(pass));
      await tell(pass, failures);
      return { againInMs: failures.length > 0 ? unreachableMs : 200 };
    }
  }
}

function deletionContext({ application, context, signal }: Pass): WriteContext {
  const finalizers = application.metadata.finalizers ?? [];
  return {
    application: instanceName(application, context.namespace),
    revision: application.status?.sync?.revision ?? '',
    initiatedBy: 'deletion',
    pruneCount: 0,
    propagation: finalizers.includes(background) ? 'Background' : 'Foreground',
    definitions: new Set(),
    namespaces: new Set(),
    dryRun: false,
    signal,
  };
}

async function removeAll(
  objects: readonly KubeObject[],
  writer: ClusterWriter,
  context: WriteContext,
): Promise<string[]> {
  const outcomes = await Promise.all(objects.map((object) => writer.remove(object, context)));
  return outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.message] : []));
}

/** Says why the application is still there. */
async function tell(pass: Pass, errors: readonly string[], waitingFor: readonly Because[] = []): Promise<void> {
  const { application, context } = pass;
  const now = context.ports.clock.now();
  const before = application.status ?? {};
  const found = errors.map((message) => ({ type: 'DeletionError' as const, message }));
  const conditions = [...mergeConditions(before.conditions ?? [], found, { types: ['DeletionError'], now })];
  const since = (because: Because): string =>
    before.waitingFor?.find(({ object }) => object === because.object)?.since ?? timeText(now);
  const waits = waitingFor.map((because) => ({ ...because, since: since(because) }));
  const { conditions: _, waitingFor: __, ...kept } = before;
  const health =
    before.health?.status === 'Progressing'
      ? before.health
      : { status: 'Progressing' as const, lastTransitionTime: timeText(now) };
  await store(pass, {
    status: {
      ...kept,
      health,
      ...(conditions.length > 0 && { conditions }),
      ...(waits.length > 0 && { waitingFor: waits }),
    },
  });
}
