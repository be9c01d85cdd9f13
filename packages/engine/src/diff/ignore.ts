import { type Because, groupKindText, gvkOf, isRecord, type KubeObject } from '@tiphys/api';
import { compileGlob, isGlob } from '@tiphys/language';

/** One entry of `spec.ignoreDifferences` (contract 1.1). Group and kind are globs; name and namespace exact where set. */
export type IgnoreRule = Readonly<{
  group?: string | undefined;
  kind: string;
  name?: string | undefined;
  namespace?: string | undefined;
  jsonPointers?: readonly string[] | undefined;
  jqPathExpressions?: readonly string[] | undefined;
  managedFieldsManagers?: readonly string[] | undefined;
}>;

const matchesGlob = (pattern: string, text: string): boolean =>
  isGlob(pattern) ? compileGlob(pattern)(text) : pattern === text;

/** Whether a rule speaks of an object. */
export const appliesTo = (rule: IgnoreRule, object: KubeObject): boolean => {
  const { group, kind } = gvkOf(object);
  return (
    matchesGlob(rule.group ?? '', group) &&
    matchesGlob(rule.kind, kind) &&
    ((rule.name ?? '') === '' || rule.name === object.metadata.name) &&
    ((rule.namespace ?? '') === '' || rule.namespace === object.metadata.namespace)
  );
};

/** The steps of a JSON pointer (RFC 6901); undefined when it is none. The empty pointer, which names the whole, is none here. */
export function pointerSteps(pointer: string): readonly string[] | undefined {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value without what a pointer names; the same value when there is nothing. */
function without(value: unknown, steps: readonly string[]): unknown {
  const [step = '', ...rest] = steps;
  if (Array.isArray(value)) {
    const index = /^(?:0|[1-9]\d*)$/.test(step) ? Number(step) : -1;
    if (index < 0 || index >= value.length) return value;
    if (rest.length === 0) return value.toSpliced(index, 1);
    return value.with(index, without(value[index], rest));
  }
  if (!isRecord(value) || !(step in value)) return value;
  const { [step]: found, ...others } = value;
  return rest.length === 0 ? others : { ...value, [step]: without(found, rest) };
}

/** The JSON pointers of all rules that speak of an object. */
export const ignoredPointers = (object: KubeObject, rules: readonly IgnoreRule[]): readonly string[] =>
  rules.filter((rule) => appliesTo(rule, object)).flatMap((rule) => rule.jsonPointers ?? []);

/** An object without what the pointers name. Pointers that are malformed or name nothing change nothing. */
export const withoutIgnored = (object: KubeObject, pointers: readonly string[]): KubeObject =>
  pointers.reduce<KubeObject>((kept, pointer) => {
    const steps = pointerSteps(pointer);
    // Removing a field of an object gives an object; identity and kind are never compared, so a pointer to them is moot.
    return steps === undefined || steps[0] === 'kind' || steps[0] === 'apiVersion' || pointer === '/metadata'
      ? kept
      : (without(kept, steps) as KubeObject);
  }, object);

function valueAt(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((here, step) => {
    if (Array.isArray(here)) return /^\d+$/.test(step) ? here[Number(step)] : undefined;
    return isRecord(here) ? here[step] : undefined;
  }, value);
}

function withValue(value: unknown, steps: readonly string[], found: unknown): unknown {
  const [step = '', ...rest] = steps;
  if (Array.isArray(value)) {
    const index = /^\d+$/.test(step) ? Number(step) : -1;
    if (index < 0 || index >= value.length) return value;
    return value.with(index, rest.length === 0 ? found : withValue(value[index], rest, found));
  }
  if (value !== undefined && !isRecord(value)) return value;
  return { ...value, [step]: rest.length === 0 ? found : withValue(value?.[step], rest, found) };
}

/** The desired object with the live values of ignored fields, for `RespectIgnoreDifferences=true`; never of `/status` (contract 3.4). */
export function withLiveIgnored(desired: KubeObject, live: KubeObject, pointers: readonly string[]): KubeObject {
  return pointers.reduce<KubeObject>((target, pointer) => {
    const steps = pointerSteps(pointer);
    if (steps === undefined || steps[0] === 'status' || steps[0] === 'kind' || steps[0] === 'apiVersion') return target;
    const found = valueAt(live, steps);
    // Setting or removing a field of an object gives an object.
    return (found === undefined ? without(target, steps) : withValue(target, steps, found)) as KubeObject;
  }, desired);
}

/** What of the rules for these objects is not honoured in this version: told as a condition, never passed over in silence. */
export function unsupportedIgnores(rules: readonly IgnoreRule[], objects: readonly KubeObject[]): readonly Because[] {
  return rules.flatMap((rule) => {
    const found = complaints(rule);
    return found.length > 0 && objects.some((object) => appliesTo(rule, object)) ? found : [];
  });
}

function complaints(rule: IgnoreRule): Because[] {
  const object = groupKindText({ group: rule.group ?? '', kind: rule.kind });
  const told = (code: string, what: string): Because => ({
    code,
    object,
    message: `ignoreDifferences for ${object}: ${what}`,
  });
  return [
    ...((rule.jqPathExpressions ?? []).length > 0
      ? [told('ignore-jq-unsupported', 'jqPathExpressions are not supported yet and have no effect')]
      : []),
    ...((rule.managedFieldsManagers ?? []).length > 0
      ? [told('ignore-managers-unsupported', 'managedFieldsManagers are not supported yet and have no effect')]
      : []),
    ...(rule.jsonPointers ?? [])
      .filter((pointer) => pointerSteps(pointer) === undefined)
      .map((pointer) => told('ignore-pointer-malformed', `"${pointer}" is no JSON pointer; it must begin with "/"`)),
  ];
}
