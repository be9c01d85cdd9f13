import { formatApiVersion } from '@tiphys/api';
import type { ResourceType } from '../schema/types.ts';
import type { TypeRegistry } from './type-registry.ts';

/** Built-in versions that Kubernetes 1.35 still serves but warns about. */
const deprecated: Readonly<Record<string, string>> = {
  'v1/Endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  'v1/ComponentStatus': 'v1 ComponentStatus is deprecated in v1.19+',
};

/** What a client of an outdated version is warned of; undefined when there is nothing to say. */
export function deprecationOf(type: ResourceType, types: TypeRegistry): string | undefined {
  const apiVersion = formatApiVersion(type.group, type.version);
  if (type.custom === undefined) return deprecated[`${apiVersion}/${type.kind}`];
  if (!type.custom.deprecated) return undefined;
  if (type.custom.deprecationWarning !== undefined) return type.custom.deprecationWarning;
  const better = types.ofDefinition(type.custom.definition).find(({ custom }) => custom?.deprecated === false);
  const instead = better === undefined ? '' : `; use ${formatApiVersion(better.group, better.version)} ${better.kind}`;
  return `${apiVersion} ${type.kind} is deprecated${instead}`;
}
