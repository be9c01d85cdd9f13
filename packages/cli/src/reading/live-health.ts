import { type Application, messageOf, type ResourceStatus } from '@tiphys/api';
import type { CommandContext } from '../context.ts';
import { openDestination } from './destination.ts';
import { readObjects, refText } from './live-objects.ts';

async function assessed(application: Application, context: CommandContext): Promise<Application> {
  const { signal } = context;
  const resources = application.status?.resources ?? [];
  const { assess } = await import('@tiphys/engine');
  const { client, close } = await openDestination(application.spec, await context.ports(), signal);
  try {
    const wanted = resources.filter(({ hook, health, name }) => hook !== true && health === undefined && name !== '');
    const live = await readObjects(client, wanted, signal);
    const complete = resources.map((resource): ResourceStatus => {
      if (!live.has(refText(resource))) return resource;
      const object = live.get(refText(resource));
      const health = object === undefined ? { status: 'Missing' as const } : assess(object);
      return health === undefined ? resource : { ...resource, health };
    });
    return { ...application, status: { ...application.status, resources: complete } };
  } finally {
    await close();
  }
}

/**
 * The application with the health of its objects. The status does not hold it (`resourceHealthSource: appTree`), so the live
 * objects are looked at, by the built-in checks; where they cannot be read, that is told and the column stays empty.
 */
export async function withLiveHealth(application: Application, context: CommandContext): Promise<Application> {
  if (application.status?.resourceHealthSource !== 'appTree') return application;
  if ((application.status.resources ?? []).every(({ health }) => health !== undefined)) return application;
  try {
    return await assessed(application, context);
  } catch (error) {
    context.signal.throwIfAborted();
    context.notice(`the health of the objects is not shown: ${messageOf(error)}`);
    return application;
  }
}
