import { type Application, mergePatch, parseApplication, type Warning } from '@tiphys/api';
import type { Actor, ApplicationRef, Cancelable, OperationPorts } from './actor.ts';
import { tellIntent } from './application-event.ts';
import { requireNoProblems, requireProject } from './create-application.ts';
import { readApplication, updateApplication } from './stored-application.ts';

/** `change` gives the new specification; it is asked again when somebody else changed the application meanwhile. */
export type SetRequest = ApplicationRef &
  Cancelable &
  Readonly<{ change: (spec: Application['spec']) => Application['spec']; check: 'all' | 'schema-only' }>;

/**
 * Changes the specification of an application; only the fields that differ are written.
 * @throws CodedError operation/not-found, api/invalid-object
 */
export async function setApplication(
  actor: Actor,
  request: SetRequest,
  ports: OperationPorts,
): Promise<Readonly<{ application: Application; warnings: readonly Warning[] }>> {
  const before = await readApplication(request, ports);
  const checked = parseApplication({ ...before, spec: request.change(before.spec) }, { mode: 'read' });
  requireNoProblems(`application ${request.name}`, checked.problems);
  if (request.check === 'all') await requireProject(checked.value.spec, request, ports);
  const application = await updateApplication(request, ports, (stored) => {
    const spec = mergePatch(stored.spec, request.change(stored.spec));
    return spec === undefined ? undefined : { spec };
  });
  if (application.metadata.resourceVersion !== before.metadata.resourceVersion) {
    await tellIntent(
      actor,
      { application, reason: 'ResourceUpdated', what: 'updated application spec', signal: request.signal },
      ports,
    );
  }
  return { application, warnings: checked.warnings };
}
