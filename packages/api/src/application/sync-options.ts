import { nearestOf } from '../schema/nearest.ts';

/** The sync options and the values that they take (contract 1.3). */
const known: ReadonlyMap<string, readonly string[]> = new Map([
  ['CreateNamespace', ['true', 'false']],
  ['Validate', ['true', 'false']],
  ['Prune', ['true', 'false', 'confirm']],
  ['Delete', ['true', 'false', 'confirm']],
  ['PruneLast', ['true', 'false']],
  ['PrunePropagationPolicy', ['foreground', 'background', 'orphan']],
  ['Replace', ['true', 'false']],
  ['Force', ['true', 'false']],
  ['ServerSideApply', ['true', 'false']],
  ['ClientSideApplyMigration', ['true', 'false']],
  ['ApplyOutOfSyncOnly', ['true', 'false']],
  ['SkipDryRunOnMissingResource', ['true', 'false']],
  ['RespectIgnoreDifferences', ['true', 'false']],
  ['FailOnSharedResource', ['true', 'false']],
]);

/** What is wrong with a sync option, if anything. */
export function checkSyncOption(option: string): { message: string; nearest?: string } | undefined {
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(option.trim()) ?? [];
  const values = known.get(name);
  if (values === undefined) {
    const nearest = nearestOf(name, known.keys());
    return { message: `unknown sync option "${option}"`, ...(nearest !== undefined && { nearest }) };
  }
  if (value === undefined)
    return { message: `sync option "${option}" has no value`, nearest: `${name}=${values[0] ?? ''}` };
  return values.includes(value)
    ? undefined
    : { message: `sync option ${name} takes ${values.join(', ')}, not "${value}"` };
}
