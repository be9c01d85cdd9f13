import { numberAt, stringifyJson, type KubeObject } from '@tiphys/api';
import type { PrinterColumn, ResourceType } from '../../schema/types.ts';
import { omit } from '../../schema/omit.ts';
import { resourceText } from '../refusal.ts';
import { age, ageText, name, type Cell, type Column } from './column.ts';
import { findByPath } from './json-path.ts';
import * as platform from './platform.ts';
import * as workload from './workload.ts';

/** The columns of the API server 1.35, by resource. */
const columnsOf: Readonly<Record<string, readonly Column[]>> = {
  configmaps: platform.configMaps,
  'controllerrevisions.apps': platform.controllerRevisions,
  'clusterrolebindings.rbac.authorization.k8s.io': platform.bindings,
  'cronjobs.batch': workload.cronJobs,
  'customresourcedefinitions.apiextensions.k8s.io': platform.nameAndCreated,
  'daemonsets.apps': workload.daemonSets,
  'deployments.apps': workload.deployments,
  endpoints: platform.endpoints,
  'endpointslices.discovery.k8s.io': platform.endpointSlices,
  events: platform.events,
  'events.events.k8s.io': platform.events,
  'horizontalpodautoscalers.autoscaling': workload.autoscalers,
  'ingressclasses.networking.k8s.io': platform.ingressClasses,
  'ingresses.networking.k8s.io': platform.ingresses,
  'jobs.batch': workload.jobs,
  'leases.coordination.k8s.io': platform.leases,
  limitranges: platform.nameAndCreated,
  namespaces: platform.namespaces,
  'networkpolicies.networking.k8s.io': platform.networkPolicies,
  nodes: platform.nodes,
  persistentvolumeclaims: platform.volumeClaims,
  persistentvolumes: platform.volumes,
  'poddisruptionbudgets.policy': platform.disruptionBudgets,
  pods: workload.pods,
  'priorityclasses.scheduling.k8s.io': platform.priorityClasses,
  'replicasets.apps': workload.replicaSets,
  replicationcontrollers: workload.replicaSets,
  resourcequotas: platform.quotas,
  'rolebindings.rbac.authorization.k8s.io': platform.bindings,
  'clusterroles.rbac.authorization.k8s.io': platform.nameAndCreated,
  'roles.rbac.authorization.k8s.io': platform.nameAndCreated,
  secrets: platform.secrets,
  serviceaccounts: platform.nameAndAge,
  services: platform.services,
  'statefulsets.apps': workload.statefulSets,
  'storageclasses.storage.k8s.io': platform.storageClasses,
};

const columnTypes = ['string', 'integer', 'number', 'boolean', 'date'] as const;

function cellOf(found: readonly unknown[], type: string, now: Date): Cell {
  const [value] = found;
  if (value === undefined) return null;
  if (type === 'date') return ageText(value, now);
  if (type === 'string') return found.map((item) => (typeof item === 'string' ? item : stringifyJson(item))).join(',');
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : null;
}

const customColumn = ({ name: title, type, jsonPath, ...rest }: PrinterColumn): Column => ({
  name: title,
  type: columnTypes.find((known) => known === type) ?? 'string',
  ...(rest.format !== undefined && { format: rest.format }),
  ...(rest.description !== undefined && { description: rest.description }),
  ...(rest.priority !== undefined && { priority: rest.priority }),
  cell: (object, now) => cellOf(findByPath(object, jsonPath), type, now),
});

/** autoscaling/v1 Scale, whatever it is the scale of. */
const scaleColumns: readonly Column[] = [
  name,
  { name: 'Desired', type: 'integer', cell: (object) => numberAt(object, 'spec', 'replicas') ?? 0 },
  { name: 'Available', type: 'integer', cell: (object) => numberAt(object, 'status', 'replicas') ?? 0 },
  age,
];

function columnsFor(type: ResourceType, object: KubeObject | undefined): readonly Column[] {
  if (object?.kind === 'Scale') return scaleColumns;
  if (type.custom === undefined) return columnsOf[resourceText(type)] ?? platform.nameAndAge;
  if (type.columns === undefined || type.columns.length === 0) return [name, { ...age, type: 'date' }];
  return [name, ...type.columns.map(customColumn)];
}

/** What each row carries of its object. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** An object's metadata alone (meta.k8s.io/v1 PartialObjectMetadata). */
export const partialMetadata = (object: KubeObject): Record<string, unknown> => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.kind === 'DaemonSet' ? withoutGeneration(object.metadata) : object.metadata,
});

/** The template generation of a DaemonSet becomes an annotation only where the whole object is shown. */
function withoutGeneration(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  const annotations = omit({ ...metadata.annotations }, 'deprecated.daemonset.template.generation');
  const rest = omit(metadata, 'annotations');
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
}

function carried(object: KubeObject, include: IncludeObject): unknown {
  switch (include) {
    case 'None':
      return null;
    case 'Object':
      return object;
    case 'Metadata':
      return partialMetadata(object);
  }
}

const rowConditions = (object: KubeObject): readonly unknown[] => {
  const status = object['status'];
  const phase = typeof status === 'object' && status !== null && 'phase' in status ? status.phase : undefined;
  if (object.kind !== 'Pod' || (phase !== 'Succeeded' && phase !== 'Failed')) return [];
  const message = phase === 'Succeeded' ? 'The pod has completed successfully.' : 'The pod failed.';
  return [{ type: 'Completed', status: 'True', reason: phase, message }];
};

/** A meta.k8s.io/v1 Table of objects, without its list metadata. */
export function tableOf(
  objects: readonly KubeObject[],
  type: ResourceType,
  form: Readonly<{ include: IncludeObject; now: Date; headers: boolean }>,
): Record<string, unknown> {
  const columns = columnsFor(type, objects[0]);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    columnDefinitions: form.headers
      ? columns.map((column) => ({
          name: column.name,
          type: column.type,
          format: column.format ?? '',
          description: column.description ?? '',
          priority: column.priority ?? 0,
        }))
      : null,
    rows: objects.map((object) => {
      const conditions = rowConditions(object);
      return {
        cells: columns.map((column) => column.cell(object, form.now)),
        ...(conditions.length > 0 && { conditions }),
        object: carried(object, form.include),
      };
    }),
  };
}
