import { type Because, checkSyncOption, describeKey, keyOf, type KubeObject } from '@tiphys/api';
import { marks } from './marks.ts';
import type { TaskOptions } from './types.ts';

/** Sync options by name; of two that set the same one the later wins. */
export type OptionValues = ReadonlyMap<string, string>;

/** Reads options such as `CreateNamespace=true`. What is unknown is told with the nearest known name, and has no effect. */
export function readOptions(options: readonly string[], where: string): { values: OptionValues; warnings: Because[] } {
  const values = new Map<string, string>();
  const warnings: Because[] = [];
  for (const option of options.map((text) => text.trim()).filter((text) => text !== '')) {
    const wrong = checkSyncOption(option);
    if (wrong !== undefined) {
      const hint = wrong.nearest === undefined ? '' : `; did you mean ${wrong.nearest}?`;
      warnings.push({ code: 'unknown-sync-option', object: where, message: `${where}: ${wrong.message}${hint}` });
      continue;
    }
    const [name = '', value = ''] = option.split('=', 2);
    values.set(name, value);
  }
  return { values, warnings };
}

const annotated = (object: KubeObject): readonly string[] =>
  (object.metadata.annotations?.[marks.syncOptions] ?? '').split(',');

/** What the options of an object's own annotation get wrong: a `Prune=flase` would protect nothing, and nobody would know. */
export const optionWarnings = (object: KubeObject): readonly Because[] =>
  object.metadata.annotations?.[marks.syncOptions] === undefined
    ? []
    : readOptions(annotated(object), describeKey(keyOf(object))).warnings;

const defaultMigrationManager = 'kubectl-client-side-apply';

/** How one object is written: its own annotation wins over the application's options (contract 1.3). `force` is the operation's flag. */
export function taskOptions(
  object: KubeObject,
  application: OptionValues,
  force: boolean,
): { options: TaskOptions; warnings: readonly Because[] } {
  const { values: own, warnings } = readOptions(annotated(object), describeKey(keyOf(object)));
  const value = (name: string): string | undefined => own.get(name) ?? application.get(name);
  const kept = object.metadata.annotations?.[marks.helmResourcePolicy]?.trim() === 'keep';
  const prune = value('Prune');
  const options: TaskOptions = {
    apply:
      value('Replace') === 'true' ? 'replace' : value('ServerSideApply') === 'true' ? 'server-side' : 'client-side',
    force: force || own.get('Force') === 'true',
    validate: value('Validate') !== 'false',
    prune: kept || prune === 'false' ? 'never' : prune === 'confirm' ? 'confirm' : 'allow',
    pruneLast: value('PruneLast') === 'true',
    skipDryRunOnMissingResource: value('SkipDryRunOnMissingResource') === 'true',
    migrateFrom:
      value('ClientSideApplyMigration') === 'false'
        ? undefined
        : (object.metadata.annotations?.[marks.migrationManager] ?? defaultMigrationManager),
  };
  return { options, warnings };
}

/** `PrunePropagationPolicy`; foreground when it says nothing. */
export function propagationOf(options: OptionValues): 'Foreground' | 'Background' | 'Orphan' {
  switch (options.get('PrunePropagationPolicy')) {
    case 'background':
      return 'Background';
    case 'orphan':
      return 'Orphan';
    default:
      return 'Foreground';
  }
}

/** Whether the last segment of deletion options forbids deleting the object with its application. */
export const keepsOnDelete = (object: KubeObject): boolean =>
  object.metadata.annotations?.[marks.helmResourcePolicy]?.trim() === 'keep' ||
  readOptions(annotated(object), '').values.get('Delete') === 'false';

/** Whether an object of an application that is deleted waits for approval (`Delete=confirm`). */
export const confirmsDelete = (object: KubeObject, application: OptionValues): boolean =>
  (readOptions(annotated(object), '').values.get('Delete') ?? application.get('Delete')) === 'confirm';
