import { type Application, type KubeObject, messageOf, type ResourceStatus } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import type { CommandContext } from '../context.ts';
import { openDestination } from './destination.ts';

const nameOf = ({ group = '', kind = '', namespace = '', name = '' }: ResourceStatus): string =>
  [group, kind, namespace, name].join('/');

/** Objects of one kind in one namespace; from this many on they are listed instead of read one by one. */
const worthListing = 4;

async function readGroup(
  client: KubeClient,
  group: readonly ResourceStatus[],
  signal: AbortSignal,
): Promise<readonly (readonly [string, KubeObject | undefined])[]> {
  const [{ group: apiGroup = '', version = '', kind = '', namespace } = {}] = group;
  const gvk = { group: apiGroup, version, kind };
  if (group.length < worthListing)
    return Promise.all(
      group.map(async (resource) => {
        const live = await client.get({ gvk, namespace, name: resource.name ?? '' }, { signal });
        return [nameOf(resource), live] as const;
      }),
    );
  const byName = new Map<string, KubeObject>();
  await client.listEach(await client.resourceFor(gvk, { signal }), { namespace, signal }, (object) =>
    byName.set(object.metadata.name ?? '', object),
  );
  return group.map((resource) => [nameOf(resource), byName.get(resource.name ?? '')] as const);
}

function grouped(resources: readonly ResourceStatus[]): readonly (readonly ResourceStatus[])[] {
  const groups = new Map<string, ResourceStatus[]>();
  for (const resource of resources) {
    const key = nameOf({ ...resource, name: '' });
    groups.set(key, [...(groups.get(key) ?? []), resource]);
  }
  return [...groups.values()];
}

async function assessed(application: Application, context: CommandContext): Promise<Application> {
  const { signal } = context;
  const resources = application.status?.resources ?? [];
  const { assess } = await import('@tiphys/engine');
  const { client, close } = await openDestination(application.spec, await context.ports(), signal);
  try {
    const wanted = resources.filter(({ hook, health }) => hook !== true && health === undefined);
    const live = new Map((await Promise.all(grouped(wanted).map((group) => readGroup(client, group, signal)))).flat());
    const complete = resources.map((resource): ResourceStatus => {
      if (!live.has(nameOf(resource))) return resource;
      const object = live.get(nameOf(resource));
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
