import { randomUUID } from 'node:crypto';
import { stringAt, type KubeObject } from '@tiphys/api';
import { trackUpdate } from '../../patch/index.ts';
import { validateDefinition } from '../../schema/custom.ts';
import { applyDefaults } from '../../schema/default.ts';
import type { FieldError, ResourceType } from '../../schema/types.ts';
import { validate } from '../../schema/validate.ts';
import { timeText, type Cluster, type Target, type WriteOptions, type Written } from '../cluster.ts';
import { fromStored, otherVersions, toStored } from '../conversion.ts';
import { checkLimitRanges } from '../admission/limit-range.ts';
import { checkQuota } from '../admission/resource-quota.ts';
import { generatedName } from '../names.ts';
import { admit, normalize, prepareForCreate } from '../prepare.ts';
import { alreadyExists, forbidden, invalid, notFound, Refusal } from '../refusal.ts';
import { storageKey } from '../type-registry.ts';
import { placed, readObject } from './incoming.ts';
import { omit } from '../../schema/omit.ts';

const namespaces = { group: '', plural: 'namespaces' } as const;

/** Objects of a definition that is going cannot be created any more. */
function checkDefinition(cluster: Cluster, { type, name }: Target): void {
  const definition = type.custom?.definition;
  if (definition === undefined) return;
  const resource = 'customresourcedefinitions.apiextensions.k8s.io';
  const found = cluster.store.get({ resource, namespace: '', name: definition });
  if (found?.metadata.deletionTimestamp !== undefined)
    throw forbidden(type, name, { why: 'create not allowed while custom resource definition is terminating' });
}

/** New objects need a namespace that exists and is not on its way out. */
function checkNamespace(cluster: Cluster, { type, namespace, name }: Target): void {
  if (!type.namespaced) return;
  const found = cluster.store.get({ resource: 'namespaces', namespace: '', name: namespace });
  if (found === undefined) throw notFound(namespaces, namespace);
  if (stringAt(found, 'status', 'phase') !== 'Terminating') return;
  const message = `namespace ${namespace} is being terminated`;
  throw forbidden(type, name, {
    why: `unable to create new content in namespace ${namespace} because it is being terminated`,
    causes: [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }],
  });
}

function withSystemFields(object: KubeObject, cluster: Cluster): KubeObject {
  const { resourceVersion } = object.metadata;
  const metadata = omit(
    object.metadata,
    'uid',
    'resourceVersion',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  );
  if (resourceVersion !== undefined && resourceVersion !== '0')
    throw new Refusal({
      code: 500,
      reason: '',
      message: 'resourceVersion should not be set on objects to be created',
    });
  const { name, generateName } = metadata;
  const named = name === undefined && generateName !== undefined;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(named && { name: generatedName(generateName, cluster.random) }),
      uid: randomUUID(),
      creationTimestamp: timeText(cluster.clock.now()),
    },
  };
}

/** What the schema and the kind's own rules say against an object. */
export function errorsOf(
  object: KubeObject,
  type: ResourceType,
  context: Readonly<{ old?: KubeObject; subresource?: string }> = {},
): readonly FieldError[] {
  const errors = validate(object, type, context);
  return type.kind === 'CustomResourceDefinition' && context.subresource === undefined
    ? [...errors, ...validateDefinition(object, context.old)]
    : errors;
}

/** Creates an object from a request's body. */
export function create(
  cluster: Cluster,
  target: Target,
  request: Readonly<{ body: unknown; options: WriteOptions }>,
): Written {
  const incoming = readObject(request.body, target.type, request.options);
  const written = createObject(cluster, target, { object: incoming.object, options: request.options });
  return { ...written, warnings: incoming.warnings };
}

/** Creates an object that is known to fit its schema. `managed`: its managedFields are already as they are to be stored. */
export function createObject(
  cluster: Cluster,
  target: Target,
  request: Readonly<{ object: KubeObject; options: WriteOptions; managed?: boolean }>,
): Written {
  const { type } = target;
  const { options } = request;
  const located = placed(request.object, target);
  const named = { ...target, name: located.metadata.name ?? '' };
  options.mayWrite?.(named, located, undefined);
  checkDefinition(cluster, named);
  checkNamespace(cluster, named);
  const preparation = { cluster, namespace: target.namespace, dryRun: options.dryRun, sent: request.object };
  const identified = withSystemFields(located, cluster);
  const unmanaged = omit(identified.metadata, 'managedFields');
  const fresh = request.managed === true ? identified : { ...identified, metadata: unmanaged };
  const tracked = track(cluster, { object: applyDefaults(normalize(fresh, type), type), type }, request);
  const admitted = admit(tracked, type, preparation);
  // Defaulting once more is only for what admission has added.
  const complete = admitted === tracked ? tracked : applyDefaults(admitted, type);
  const prepared = prepareForCreate(complete, type, preparation);
  const errors = errorsOf(prepared, type);
  const name = prepared.metadata.name ?? '';
  if (errors.length > 0) throw invalid(type, name, errors);
  checkLimitRanges(cluster.store, prepared, type);
  checkQuota(cluster.store, { type, object: prepared });
  const key = storageKey(type);
  const present = cluster.store.get({ resource: key, namespace: target.namespace, name });
  if (present !== undefined) throw alreadyExists(type, name, present.metadata.deletionTimestamp !== undefined);
  if (options.dryRun) return { object: prepared, warnings: [], created: true };
  const stored = cluster.store.put(key, toStored(prepared, type, cluster.types.stored(key) ?? type));
  return { object: fromStored(stored, type), warnings: [], created: true };
}

// Fields that admission and the server itself add afterwards belong to nobody, so this comes before them.
function track(
  cluster: Cluster,
  { object, type }: Readonly<{ object: KubeObject; type: ResourceType }>,
  { options, managed }: Readonly<{ options: WriteOptions; managed?: boolean }>,
): KubeObject {
  if (managed === true) return object;
  return trackUpdate({
    before: undefined,
    after: object,
    manager: options.manager,
    operation: 'Update',
    now: timeText(cluster.clock.now()),
    type,
    otherVersion: otherVersions(cluster.types, type),
  });
}
