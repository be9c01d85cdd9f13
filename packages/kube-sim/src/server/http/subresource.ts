import { at, isRecord, numberAt, type KubeObject } from '@tiphys/api';
import type { ResourceType } from '../../schema/types.ts';
import { fieldError, invalid } from '../refusal.ts';
import { selectorText } from '../table/column.ts';
import { findByPath } from '../table/json-path.ts';

const scaleSelector = (object: KubeObject, type: ResourceType): string => {
  const path = type.custom?.scale?.labelSelectorPath;
  if (path !== undefined) {
    const [found] = findByPath(object, path);
    return typeof found === 'string' ? found : '';
  }
  const selector = at(object, 'spec', 'selector');
  const text = type.kind === 'ReplicationController' ? selectorText({ matchLabels: selector }) : selectorText(selector);
  return text === '<none>' ? '' : text;
};

const numberByPath = (object: KubeObject, path: string): number => {
  const [found] = findByPath(object, path);
  return typeof found === 'number' ? found : 0;
};

/** The autoscaling/v1 Scale of an object. */
export function scaleOf(object: KubeObject, type: ResourceType): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const paths = type.custom?.scale;
  const selector = scaleSelector(object, type);
  const replicas = numberByPath(object, paths?.specReplicasPath ?? '.spec.replicas');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: numberByPath(object, paths?.statusReplicasPath ?? '.status.replicas'),
      ...(selector !== '' && { selector }),
    },
  };
}

function setByPath(value: unknown, path: readonly string[], leaf: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  const base = isRecord(value) ? value : {};
  return { ...base, [key]: setByPath(base[key], rest, leaf) };
}

/** The object with the replica count of a Scale. */
export function withScale(object: KubeObject, type: ResourceType, scale: unknown): KubeObject {
  const replicas = numberAt(scale, 'spec', 'replicas') ?? 0;
  if (replicas < 0 || !Number.isInteger(replicas))
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, object.metadata.name ?? '', [
      fieldError(
        'spec.replicas',
        'FieldValueInvalid',
        `Invalid value: ${replicas}: must be greater than or equal to 0`,
      ),
    ]);
  const path = (type.custom?.scale?.specReplicasPath ?? '.spec.replicas').split('.').filter((key) => key !== '');
  const [first = 'spec', ...rest] = path;
  return { ...object, [first]: setByPath(object[first], rest, replicas) };
}
