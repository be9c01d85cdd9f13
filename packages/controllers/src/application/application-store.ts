import { type Application, applicationApiVersion, type Clock, type KubeObject, type Logger, parseApplication, type Problem } from '@tiphys/api';
import { type KubeClient, type ObjectCache, openCache } from '@tiphys/kube';

/** An Application as the store keeps it. An object that does not fit the schema is kept too: it is reported, never dropped. */
export type StoredApplication = Readonly<{
  /** `namespace/name`. */
  key: string;
  /** The object as it is in the cluster, without managed fields; patches are computed against it. */
  raw: KubeObject;
  /** Undefined when the object has problems. */
  application: Application | undefined;
  problems: readonly Problem[];
  /** Unknown or odd, but no reason to stop. */
  warnings: readonly Problem[];
}>;

export const applicationGvk = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' } as const;

/** The key of an Application in queues and maps. */
export const applicationKey = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

function project(object: KubeObject): StoredApplication {
  const { managedFields: _, ...metadata } = object.metadata;
  const raw: KubeObject = { ...object, apiVersion: applicationApiVersion, kind: applicationGvk.kind, metadata };
  const { value, problems, warnings } = parseApplication(raw, { mode: 'read' });
  return { key: applicationKey(raw), raw, application: problems.length === 0 ? value : undefined, problems, warnings };
}

/** All Applications of the control plane's namespace, or of every namespace when others are allowed. */
export async function openApplicationStore(
  ports: Readonly<{ client: KubeClient; clock: Clock; log: Logger }>,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<ObjectCache<StoredApplication>> {
  const resource = await ports.client.resourceFor(applicationGvk, { signal });
  return openCache<StoredApplication>(ports.client, { resource, namespace, project }, ports);
}
