import { formatApiVersion, groupKindText } from '@tiphys/api';
import { KubeError } from './error.ts';
import type { ApiResource } from './types.ts';

export type PathParts = Readonly<{
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}>;

/** The URL path of a resource, an object of it, or a subresource of that object. */
export function resourcePath(resource: ApiResource, { namespace, name, subresource }: PathParts): string {
  const root = resource.group === '' ? '/api' : '/apis';
  const parts = [root, formatApiVersion(resource.group, resource.version)];
  if (resource.namespaced && namespace !== undefined && namespace !== '')
    parts.push('namespaces', encodeURIComponent(namespace));
  parts.push(resource.plural);
  if (name !== undefined) parts.push(encodeURIComponent(name));
  if (subresource !== undefined) parts.push(subresource);
  return parts.join('/');
}

/** What a call is about, for errors: `GET apps/Deployment shop/web`, `LIST ConfigMap in shop`. */
export function nameCall(verb: string, resource: ApiResource, { namespace, name, subresource }: PathParts): string {
  const kind = `${verb} ${groupKindText(resource)}`;
  const within = resource.namespaced && namespace !== undefined && namespace !== '' ? namespace : undefined;
  const sub = subresource === undefined ? '' : ` (${subresource})`;
  if (name === undefined) return within === undefined ? kind : `${kind} in ${within}`;
  return `${kind} ${within === undefined ? name : `${within}/${name}`}${sub}`;
}

export const invalid = (message: string): KubeError =>
  new KubeError('kube/invalid', message, { status: 0, reason: '', causes: [] });

/** The parts of a path to one object. @throws KubeError kube/invalid when name or namespace is missing or cannot be part of a path */
export function objectParts(resource: ApiResource, parts: PathParts): PathParts {
  const { name = '', namespace = '' } = parts;
  // "." and ".." would survive escaping and be resolved by the server's router.
  for (const [label, value] of Object.entries({ name, namespace }))
    if (value === '.' || value === '..' || value.includes('/'))
      throw invalid(`${groupKindText(resource)} "${value}": not a valid ${label}`);
  if (name === '') throw invalid(`${groupKindText(resource)}: "name" is missing`);
  if (resource.namespaced && namespace === '')
    throw invalid(`${groupKindText(resource)} ${name}: "namespace" is missing`);
  return parts;
}
