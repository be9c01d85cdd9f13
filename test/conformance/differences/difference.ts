import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord, listAt, stringAt } from '@tiphys/api';
import type { Answer, Call } from '../differential/api.ts';

/** One of the two clusters, and a namespace in it that nothing else uses. */
export type Place = Readonly<{
  name: 'real' | 'embedded';
  namespace: string;
  call: (call: Call) => Promise<Answer>;
}>;

/** Does something and says what came of it, without what no two runs have in common. */
export type See = (place: Place) => Promise<unknown>;

/** An entry of packages/kube-sim/DIFFERENCES.md: what is seen on the real cluster, and what on the embedded one. */
export type Difference = Readonly<{
  /** Stands in the entry as `[key]`. */
  key: string;
  see: See;
  real: unknown;
  embedded: unknown;
}>;

/** Something that a differential sequence does not come across, and both clusters do alike. */
export type Agreement = Readonly<{
  what: string;
  see: See;
  /** What is seen; left out where it is long and only being the same counts. */
  both?: unknown;
}>;

/** Generous: machines are shared. */
const patienceMs = 40_000;
/** How long something is watched that is to stay as it is. */
export const stillMs = 1500;

/**
 * What is seen as soon as it is so, or at the end. What happens on one of the two clusters alone is waited for there, and given
 * a while to happen on the other.
 */
export async function seenOnce<T>(
  see: () => Promise<T>,
  isSo: (seen: T) => boolean,
  limitMs: number = patienceMs,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const seen = await see();
    if (isSo(seen) || Date.now() > end) return seen;
    await sleep(40);
  }
}

/** Asks for an object until it shows something. @throws Error when it does not in time */
export async function untilSeen<T>({ call }: Place, path: string, look: (body: unknown) => T | undefined): Promise<T> {
  const ask = async (): Promise<Answer & { seen: T | undefined }> => {
    const answer = await call({ method: 'GET', path });
    return { ...answer, seen: answer.code === 200 ? look(answer.body) : undefined };
  };
  const { code, body, seen } = await seenOnce(ask, (answer) => answer.seen !== undefined);
  if (seen === undefined) throw new Error(`${path}: not in time; last ${code} ${JSON.stringify(body).slice(0, 2000)}`);
  return seen;
}

/** Asks until there is nothing under a path any more. */
export async function untilGone({ call }: Place, path: string): Promise<void> {
  const { code } = await seenOnce(
    () => call({ method: 'GET', path }),
    (answer) => answer.code === 404,
  );
  if (code !== 404) throw new Error(`${path}: still there`);
}

/** The limit of `seenOnce` for what happens on one cluster alone. */
export const happensOn = ({ name }: Place, cluster: Place['name']): number => (name === cluster ? patienceMs : stillMs);

/** Where the namespaced objects of a place are: `pods`, `apps/v1 deployments`. */
export function within({ namespace }: Place, resource: string, name = ''): string {
  const [version = '', plural] = resource.split(' ');
  const root = plural === undefined ? '/api/v1' : `/apis/${version}`;
  return `${root}/namespaces/${namespace}/${plural ?? version}${name === '' ? '' : `/${name}`}`;
}

/** Creates an object; refused ones are an error. */
export async function create(place: Place, path: string, body: unknown): Promise<Answer> {
  const answer = await place.call({ method: 'POST', path, body });
  if (answer.code !== 201) throw new Error(`${path}: ${answer.code} ${stringAt(answer.body, 'message') ?? ''}`);
  return answer;
}

/** Code and message, or code and kind. */
export const told = ({ code, body }: Answer): string =>
  `${code} ${stringAt(body, 'message') ?? stringAt(body, 'kind') ?? ''}`;

export const merge = (path: string, body: unknown): Call => ({
  method: 'PATCH',
  path,
  body,
  contentType: 'application/merge-patch+json',
});

/** A server-side apply that takes no field from anybody. */
export const apply = (path: string, manager: string, body: unknown): Call => ({
  method: 'PATCH',
  path: `${path}?fieldManager=${manager}`,
  body,
  contentType: 'application/apply-patch+yaml',
});

type More = Readonly<{ spec?: object; annotations?: Readonly<Record<string, string>>; container?: object }>;

/** A pod's template of one container, and what else it is to have. */
export const template = ({ spec, annotations, container }: More = {}): Record<string, unknown> => ({
  metadata: { labels: { app: 'x' }, ...(annotations !== undefined && { annotations }) },
  spec: { containers: [{ name: 'main', image: 'nowhere.invalid/none', ...container }], ...spec },
});

export const podOf = (name: string, more: More = {}): Record<string, unknown> => {
  const { metadata, spec } = template(more);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...(isRecord(metadata) && metadata), name }, spec };
};

/** The status and reason of a condition: `Ready=True`, `Failed=True PodFailurePolicy`. */
export function condition(body: unknown, type: string): string | undefined {
  const found = listAt(body, 'status', 'conditions').find((one) => stringAt(one, 'type') === type);
  if (found === undefined) return undefined;
  const reason = stringAt(found, 'reason');
  return `${type}=${stringAt(found, 'status') ?? ''}${reason === undefined ? '' : ` ${reason}`}`;
}

/** A namespace's own API group, so that definitions of several tests do not meet. */
export const groupOf = ({ namespace }: Place): string => `${namespace}.example.com`;

type DefinitionPart = Readonly<{ schema?: object; versions?: readonly object[]; spec?: object }>;

/** A CustomResourceDefinition of `things` in the place's own group. */
export function definition(place: Place, { schema, versions, spec }: DefinitionPart = {}): Record<string, unknown> {
  const group = groupOf(place);
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', ...schema } } } },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing', singular: 'thing', listKind: 'ThingList' },
      versions: versions ?? [version],
      ...spec,
    },
  };
}

export const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Creates a definition and waits until its versions are served. */
export async function define(place: Place, part: DefinitionPart = {}): Promise<string> {
  await create(place, definitions, definition(place, part));
  const group = groupOf(place);
  for (const version of part.versions ?? [{ name: 'v1' }])
    await untilSeen(place, within(place, `${group}/${stringAt(version, 'name') ?? ''} things`), () => true);
  return within(place, `${group}/v1 things`);
}
