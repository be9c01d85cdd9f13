import { CodedError, isRecord, nearestOf, parseYaml } from '@tiphys/api';
import type { CompareOptions, IgnoreRule } from '@tiphys/engine';

/** What shapes every comparison of the installation. */
export type CompareSettings = Readonly<{
  /** `resource.compareoptions`. */
  options: CompareOptions;
  /** `resource.customizations.ignoreDifferences.*`, and the same within `resource.customizations`; before an application's own. */
  ignore: readonly IgnoreRule[];
}>;

type Data = Readonly<Record<string, string>>;
/** Where a text stands, for warnings. */
type Text = Readonly<{ key: string; text: string }>;

const warned = (warnings: string[], key: string, what: string): void => {
  warnings.push(`argocd-cm: ${key} ${what}`);
};

function readMap({ key, text }: Text, warnings: string[]): Readonly<Record<string, unknown>> {
  try {
    const value = parseYaml(text, key) ?? {};
    if (isRecord(value)) return value;
    warned(warnings, key, 'is not a YAML mapping; it is passed over');
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    warned(warnings, key, `cannot be read and is passed over: ${error.message}`);
  }
  return {};
}

/** Names the fields that nobody reads, with the nearest that somebody does. */
function tellUnknown(
  found: Readonly<Record<string, unknown>>,
  known: readonly string[],
  told: Text & { warnings: string[] },
): void {
  for (const field of Object.keys(found)) {
    if (known.includes(field)) continue;
    const guess = nearestOf(field, known);
    warned(
      told.warnings,
      told.key,
      `has the unknown field ${field}${guess === undefined ? '' : `; did you mean ${guess}?`}`,
    );
  }
}

const ruleFields = ['jsonPointers', 'jqPathExpressions', 'managedFieldsManagers'] as const;

/** The part of a key behind its prefix, `apps_Deployment`, `ConfigMap` or `all`, as group and kind; both may be globs. */
function kindOfKey(key: string): Readonly<{ group: string; kind: string }> {
  if (key === 'all') return { group: '*', kind: '*' };
  const at = key.lastIndexOf('_');
  return { group: at < 0 ? '' : key.slice(0, at), kind: key.slice(at + 1) };
}

function readRule(text: Text, gk: Readonly<{ group: string; kind: string }>, warnings: string[]): IgnoreRule {
  const found = readMap(text, warnings);
  tellUnknown(found, ruleFields, { ...text, warnings });
  const lists = ruleFields.flatMap((field) => {
    const value = found[field];
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return [[field, value] as const];
    warned(warnings, text.key, `has ${field}, which is not a list of texts and is passed over`);
    return [];
  });
  return { ...gk, ...Object.fromEntries(lists) };
}

const prefix = 'resource.customizations.ignoreDifferences.';

/** The older form: one text with a mapping from `group/Kind` to customizations. */
function nestedRules(cm: Data, warnings: string[]): IgnoreRule[] {
  const key = 'resource.customizations';
  const all = readMap({ key, text: cm[key] ?? '' }, warnings);
  return Object.entries(all).flatMap(([id, customization]) => {
    const text = isRecord(customization) ? customization['ignoreDifferences'] : undefined;
    if (typeof text !== 'string') return [];
    const at = id.lastIndexOf('/');
    const gk = { group: at < 0 ? '' : id.slice(0, at), kind: id.slice(at + 1) };
    return [readRule({ key: `${key} ${id}`, text }, gk, warnings)];
  });
}

const statusFields: Readonly<Record<string, CompareOptions['ignoreResourceStatusField']>> = {
  all: 'all',
  crd: 'crd',
  none: 'none',
  off: 'none',
};

function readOptions(cm: Data, warnings: string[]): CompareOptions {
  const key = 'resource.compareoptions';
  const found = readMap({ key, text: cm[key] ?? '' }, warnings);
  const known = ['ignoreAggregatedRoles', 'ignoreResourceStatusField', 'ignoreDifferencesOnResourceUpdates'];
  tellUnknown(found, known, { key, text: '', warnings });
  const aggregated = found['ignoreAggregatedRoles'] ?? false;
  if (typeof aggregated !== 'boolean')
    warned(warnings, key, 'has ignoreAggregatedRoles, which is neither true nor false');
  // `off` is a boolean in YAML 1.1.
  const field = found['ignoreResourceStatusField'] ?? 'all';
  const status = field === false ? 'none' : typeof field === 'string' ? statusFields[field] : undefined;
  if (status === undefined) warned(warnings, key, 'has ignoreResourceStatusField, which is none of all, crd, none');
  return { ignoreAggregatedRoles: aggregated === true, ignoreResourceStatusField: status ?? 'all' };
}

/** Customizations that are a later version's; ignoreResourceUpdates only saves work, which is saved anyhow. */
function tellUnheard(cm: Data, warnings: string[]): void {
  for (const key of Object.keys(cm)) {
    const part = /^resource\.customizations\.([^.]+)\./.exec(key)?.[1];
    if (part !== undefined && part !== 'ignoreDifferences' && part !== 'ignoreResourceUpdates')
      warned(warnings, key, 'is not supported yet and has no effect');
  }
}

/** Reads what argocd-cm says of comparisons. Never fails: what cannot be read is a warning and has no effect. */
export function readCompareSettings(cm: Data, warnings: string[]): CompareSettings {
  const direct = Object.entries(cm)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, text]) => readRule({ key, text }, kindOfKey(key.slice(prefix.length)), warnings));
  tellUnheard(cm, warnings);
  return { options: readOptions(cm, warnings), ignore: [...nestedRules(cm, warnings), ...direct] };
}
