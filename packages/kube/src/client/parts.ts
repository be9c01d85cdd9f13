import { asObject, formatApiVersion, type KubeObject } from '@tiphys/api';
import type { Caller } from './caller.ts';
import type { DiscoverySource } from './read-discovery.ts';
import type { ApiResource, ClientPorts, ClientSettings } from './types.ts';

/** What `as=PartialObjectMetadata` answers; servers that know no such form answer with the whole object. */
export const metadataForm = (kind: 'PartialObjectMetadata' | 'PartialObjectMetadataList'): string =>
  `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

/** Everything the methods share. */
export type ClientParts = Readonly<{
  server: string;
  caller: Caller;
  source: DiscoverySource;
  settings: ClientSettings;
  ports: ClientPorts;
}>;

/** Puts the kind itself over a generic one (PartialObjectMetadata, items of a typed list without any). */
export const asKind = (object: Record<string, unknown>, resource: ApiResource): KubeObject =>
  asObject({ ...object, apiVersion: formatApiVersion(resource.group, resource.version), kind: resource.kind });
