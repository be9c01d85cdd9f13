import {
  type Because,
  describeKey,
  gvkOf,
  keyOf,
  type KubeObject,
  type TrackingSettings,
  withTracking,
} from '@tiphys/api';
import type { Discovery } from '@tiphys/kube';
import { marks } from '../sync/marks.ts';
import { withoutKeys } from './without-keys.ts';

/** Where desired objects go, and whose they are. */
export type DesiredTarget = Readonly<{
  discovery: Discovery;
  destinationNamespace: string;
  application: string;
  tracking: TrackingSettings;
}>;

export type NormalisedDesired = Readonly<{
  objects: readonly KubeObject[];
  /** Namespaced objects for which neither manifest nor application names a namespace. */
  errors: readonly Because[];
}>;

const sameKind = (definition: KubeObject, group: string, kind: string): boolean => {
  const spec = definition['spec'];
  if (definition.kind !== 'CustomResourceDefinition' || typeof spec !== 'object' || spec === null) return false;
  const { group: own, names } = spec as { group?: unknown; names?: { kind?: unknown } };
  return own === group && names?.kind === kind;
};

/** Whether objects of a kind live in namespaces: as the cluster says, else as a definition in the same render says, else yes. */
function isNamespaced(object: KubeObject, discovery: Discovery, desired: readonly KubeObject[]): boolean {
  const gvk = gvkOf(object);
  const resource = discovery.find(gvk) ?? discovery.byGroupKind(gvk);
  if (resource !== undefined) return resource.namespaced;
  const definition = desired.find((one) => sameKind(one, gvk.group, gvk.kind));
  const spec = definition?.['spec'] as { scope?: unknown } | undefined;
  return spec?.scope !== 'Cluster';
}

function withNamespace(object: KubeObject, namespace: string): KubeObject {
  const metadata = withoutKeys(object.metadata, 'namespace');
  return { ...object, metadata: namespace === '' ? metadata : { ...metadata, namespace } };
}

/** An export from a cluster carries this annotation; ours is written at apply. */
function withoutLastApplied(object: KubeObject): KubeObject {
  const { annotations } = object.metadata;
  if (annotations?.[marks.lastApplied] === undefined) return object;
  return { ...object, metadata: { ...object.metadata, annotations: withoutKeys(annotations, marks.lastApplied) } };
}

/**
 * Rendered objects as they are compared and applied: a namespaced one without a namespace goes to the application's, a
 * cluster-scoped one gets none (requirement REPO-22), and each carries the application's mark. Objects with `generateName`
 * alone (hooks) get their name, and with it their mark, when the sync is planned.
 */
export function normaliseDesired(rendered: readonly KubeObject[], target: DesiredTarget): NormalisedDesired {
  const errors: Because[] = [];
  const objects = rendered.map((object) => {
    const own = object.metadata.namespace ?? '';
    const namespaced = isNamespaced(object, target.discovery, rendered);
    const namespace = !namespaced ? '' : own === '' ? target.destinationNamespace : own;
    const placed = withoutLastApplied(own === namespace ? object : withNamespace(object, namespace));
    if (namespaced && namespace === '') {
      const name = describeKey(keyOf(object));
      errors.push({
        code: 'namespace-missing',
        object: name,
        message: `${name}: neither the manifest nor spec.destination.namespace names a namespace`,
      });
    }
    return (placed.metadata.name ?? '') === '' ? placed : withTracking(placed, target, target.tracking);
  });
  return { objects, errors };
}
