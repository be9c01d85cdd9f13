import {
  type Application,
  canonicalJson,
  CodedError,
  describeFinding,
  isCoded,
  type KubeObject,
  mergePatch,
  parseApplication,
  projectOf,
  type Warning,
} from '@tiphys/api';
import type { Actor, Cancelable, OperationPorts } from './actor.ts';
import { tellIntent } from './application-event.ts';
import { findApplication, typed, updateApplication } from './stored-application.ts';

/** `application` is checked as it comes; `upsert` lets it change one that is there with another spec. */
export type CreateRequest = Cancelable &
  Readonly<{ application: unknown; upsert: boolean; check: 'all' | 'schema-only' }>;

export type CreateResult = Readonly<{
  application: Application;
  outcome: 'created' | 'updated' | 'unchanged';
  warnings: readonly Warning[];
}>;

/** Refuses a project that does not exist; `default` need not be there yet. */
export async function requireProject(
  spec: Application['spec'],
  request: Cancelable,
  ports: OperationPorts,
): Promise<void> {
  const name = projectOf(spec);
  const gvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'AppProject' };
  if (name === 'default') return;
  const found = await ports.kube
    .get({ gvk, name, namespace: ports.namespace }, { signal: request.signal })
    .catch((error: unknown) => {
      if (isCoded(error, 'kube/kind-not-found')) return undefined;
      throw error;
    });
  if (found === undefined)
    throw new CodedError('api/invalid-object', `spec.project: no project "${name}" in namespace ${ports.namespace}`);
}

/** Refuses an object with problems; each is one line with its path. */
export function requireNoProblems(what: string, problems: readonly Warning[]): void {
  if (problems.length === 0) return;
  throw new CodedError(
    'api/invalid-object',
    `${what} is not valid:\n${problems.map((found) => `  ${describeFinding(found)}`).join('\n')}`,
  );
}

/** What of metadata is the user's to set. */
function wanted({ labels, annotations, finalizers }: Application['metadata']): Record<string, unknown> {
  return { ...(labels && { labels }), ...(annotations && { annotations }), ...(finalizers && { finalizers }) };
}

function patchTo(application: Application, before: Application): unknown {
  const spec = mergePatch(before.spec, application.spec);
  const metadata = mergePatch({}, wanted(application.metadata));
  return { ...(spec !== undefined && { spec }), ...(metadata !== undefined && { metadata }) };
}

/**
 * Creates an application. One of the same name and specification is left as it is; another specification needs `upsert`.
 * @throws CodedError api/invalid-object with every fault, operation/conflict
 */
export async function createApplication(
  actor: Actor,
  request: CreateRequest,
  ports: OperationPorts,
): Promise<CreateResult> {
  const { value, problems, warnings } = parseApplication(request.application, { mode: 'create' });
  requireNoProblems(`application ${value.metadata.name ?? ''}`.trimEnd(), problems);
  if (request.check === 'all') await requireProject(value.spec, request, ports);
  const namespace = value.metadata.namespace ?? ports.namespace;
  const ref = { name: value.metadata.name ?? '', namespace, signal: request.signal };
  const before = ref.name === '' ? undefined : await findApplication(ref, ports);
  if (before === undefined) {
    const object = newObject(value, namespace);
    const created = await ports.kube.create(object, { signal: request.signal, fieldManager: 'tiphys' });
    const application = typed(created);
    await tellIntent(
      actor,
      { application, reason: 'ResourceCreated', what: 'created application', signal: request.signal },
      ports,
    );
    return { application, outcome: 'created', warnings };
  }
  if (canonicalJson(before.spec) === canonicalJson(value.spec) && !request.upsert)
    return { application: before, outcome: 'unchanged', warnings };
  if (!request.upsert)
    throw new CodedError(
      'operation/conflict',
      `application ${namespace}/${ref.name}: existing application spec is different, use upsert flag to force update (--upsert)`,
    );
  const application = await updateApplication(ref, ports, (stored) => patchTo(value, stored));
  await tellIntent(
    actor,
    { application, reason: 'ResourceUpdated', what: 'updated application', signal: request.signal },
    ports,
  );
  return { application, outcome: 'updated', warnings };
}

const writtenByServer = new Set([
  'creationTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** What is stored is what was handed in, unknown fields included, without what only controllers and the API server write. */
function newObject(application: Application, namespace: string): KubeObject {
  const fields = Object.entries(application).filter(([field]) => field !== 'status');
  const metadata = Object.entries(application.metadata).filter(([field]) => !writtenByServer.has(field));
  const { apiVersion, kind } = application;
  return { ...Object.fromEntries(fields), apiVersion, kind, metadata: { ...Object.fromEntries(metadata), namespace } };
}
