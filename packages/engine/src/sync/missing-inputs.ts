import {
  at,
  type Because,
  describeKey,
  isRecord,
  keyOf,
  keyText,
  listAt,
  stringAt,
  type KubeObject,
  type ResourceKey,
} from '@tiphys/api';
import type { ApplyTask, HookTask } from './types.ts';

const podSpecOf = (object: KubeObject): unknown => {
  switch (object.kind) {
    case 'Pod':
      return at(object, 'spec');
    case 'CronJob':
      return at(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec');
    default:
      return at(object, 'spec', 'template', 'spec');
  }
};

type Reference = Readonly<{ kind: 'Secret' | 'ConfigMap'; name: string }>;

function referenceOf(kind: Reference['kind'], source: unknown, nameField: string): Reference[] {
  const name = stringAt(source, nameField);
  return !isRecord(source) || name === undefined || source['optional'] === true ? [] : [{ kind, name }];
}

/** The Secrets and ConfigMaps without which the pods of an object do not start. */
function requiredInputs(object: KubeObject): Reference[] {
  const spec = podSpecOf(object);
  const containers = [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')];
  return [
    ...containers.flatMap((container) => [
      ...listAt(container, 'envFrom').flatMap((source) => [
        ...referenceOf('Secret', at(source, 'secretRef'), 'name'),
        ...referenceOf('ConfigMap', at(source, 'configMapRef'), 'name'),
      ]),
      ...listAt(container, 'env').flatMap((variable) => [
        ...referenceOf('Secret', at(variable, 'valueFrom', 'secretKeyRef'), 'name'),
        ...referenceOf('ConfigMap', at(variable, 'valueFrom', 'configMapKeyRef'), 'name'),
      ]),
    ]),
    ...listAt(spec, 'volumes').flatMap((volume) => [
      ...referenceOf('Secret', at(volume, 'secret'), 'secretName'),
      ...referenceOf('ConfigMap', at(volume, 'configMap'), 'name'),
    ]),
  ];
}

/**
 * PreSync hooks that need a Secret or ConfigMap which this very operation creates only later: they would wait for ever
 * (requirement SYNC-20).
 */
export function missingInputs(hooks: readonly HookTask[], applies: readonly ApplyTask[]): readonly Because[] {
  const later = new Map(
    applies
      .filter(({ change, phase }) => change === 'create' && phase !== 'PreSync')
      .map((task) => [keyText(task.key), task]),
  );
  if (later.size === 0) return [];
  return hooks
    .filter(({ phase }) => phase === 'PreSync')
    .flatMap((hook) =>
      requiredInputs(hook.object).flatMap(({ kind, name }) => {
        const key: ResourceKey = { group: '', kind, name, namespace: hook.key.namespace };
        if (!later.has(keyText(key))) return [];
        const object = describeKey(keyOf(hook.object));
        return [
          {
            code: 'hook-input-later',
            object,
            message: `${object} needs ${describeKey(key)}, which does not exist and is created only in the Sync phase; make it a PreSync resource of an earlier wave`,
          },
        ];
      }),
    );
}
