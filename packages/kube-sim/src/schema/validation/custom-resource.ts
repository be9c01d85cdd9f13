import { omit } from '../omit.ts';
import { at, canonicalJson, isRecord, type KubeObject } from '@tiphys/api';
import type { Environment } from '@marcbachmann/cel-js';
import { sameJson } from '../../patch/same-json.ts';
import type { ResourceType, TypeSchema } from '../types.ts';
import { createRuleEnvironment, faultText, holds } from './cel-rules.ts';
import { shown, type Faults } from './faults.ts';

/** A custom resource against its schema: types, limits, list invariants, then its CEL rules. */
export function checkCustom(
  object: KubeObject,
  context: Readonly<{ type: ResourceType; old: KubeObject | undefined }>,
  faults: Faults,
): void {
  const { schema } = context.type;
  if (schema === undefined) return;
  const before = faults.errors.length;
  // Metadata has been checked with that of all kinds.
  const root: TypeSchema = { ...schema, properties: omit(schema.properties ?? {}, 'metadata') };
  checkValue({ value: object, old: context.old, schema: root, path: '' }, faults);
  checkScale(object, context.type, faults);
  checkLists({ value: object, schema: root, path: '' }, faults);
  if (!hasRules(root)) return;
  if (faults.errors.slice(before).some((error) => blocking.has(error.reason))) {
    faults.invalid(
      '<nil>',
      null,
      'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    );
    return;
  }
  checkRules(
    { value: object, old: context.old, schema: root, path: '' },
    { environment: createRuleEnvironment(), faults },
  );
}

const blocking = new Set(
  ['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany'].concat(
    'FieldValueTypeInvalid',
  ),
);

type Place = Readonly<{ value: unknown; old?: unknown; schema: TypeSchema; path: string }>;

const named = (path: string): string => (path === '' ? '' : path);

/** Values that an update leaves as they are may stay invalid. */
const kept = ({ value, old }: Place): boolean => old !== undefined && sameJson(value, old);

function checkValue(place: Place, faults: Faults): void {
  const { value, schema, path } = place;
  if (value === undefined || kept(place)) return;
  if (value === null) {
    if (schema.nullable !== true && schema.type !== undefined) checkType(place, faults);
    return;
  }
  if (!checkType(place, faults)) return;
  if (isRecord(value)) checkObject({ ...place, value }, faults);
  else if (Array.isArray(value)) checkArray({ ...place, value }, faults);
  else if (typeof value === 'string') checkText({ ...place, value }, faults);
  else if (typeof value === 'number' || typeof value === 'bigint')
    checkNumber({ ...place, value: Number(value) }, faults);
  const { enum: allowed } = schema;
  if (allowed !== undefined && !allowed.some((one) => sameJson(one, value)))
    faults.unsupported(
      named(path),
      value,
      allowed.map((one) => (typeof one === 'string' ? one : canonicalJson(one))),
    );
  checkCombined(place, faults);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType({ value, schema, path }: Place, faults: Faults): boolean {
  const is = typeName(value);
  if (schema.intOrString === true) {
    if (is === 'integer' || is === 'string') return true;
    typeFault({ path, is, wanted: 'integer,string' }, faults);
    return false;
  }
  const { type } = schema;
  if (type === undefined || is === type || (type === 'number' && is === 'integer')) return true;
  typeFault({ path, is, wanted: type }, faults);
  return false;
}

function typeFault({ path, is, wanted }: Readonly<{ path: string; is: string; wanted: string }>, faults: Faults): void {
  const detail = `Invalid value: ${JSON.stringify(is)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(is)}`;
  faults.add(path, 'FieldValueTypeInvalid', detail);
}

const joined = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

function checkObject({ value, old, schema, path }: Place & { value: Record<string, unknown> }, faults: Faults): void {
  const count = Object.keys(value).length;
  if (schema.minProperties !== undefined && count < schema.minProperties)
    faults.invalid(path, value, `${path} in body should have at least ${schema.minProperties} properties`);
  if (schema.maxProperties !== undefined && count > schema.maxProperties)
    faults.tooMany(path, count, schema.maxProperties);
  if (schema.embedded === true)
    for (const field of ['apiVersion', 'kind'])
      if (typeof value[field] !== 'string' || value[field] === '')
        faults.required(joined(path, field), 'must not be empty');
  for (const key of Object.keys(value).sort()) {
    const child = value[key];
    const property = schema.properties?.[key] ?? schema.additionalProperties;
    if (property === undefined) continue;
    checkValue({ value: child, old: at(old, key), schema: property, path: joined(path, key) }, faults);
  }
  for (const name of schema.required ?? []) if (value[name] === undefined) faults.required(joined(path, name));
}

function checkArray({ value, old, schema, path }: Place & { value: readonly unknown[] }, faults: Faults): void {
  if (schema.minItems !== undefined && value.length < schema.minItems)
    faults.invalid(path, value.length, `${path} in body should have at least ${schema.minItems} items`);
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    faults.tooMany(path, value.length, schema.maxItems);
  const { items } = schema;
  if (items === undefined) return;
  for (const [index, item] of value.entries()) {
    const before = correlated({ list: old, item, index }, schema);
    checkValue({ value: item, old: before, schema: items, path: `${path}[${index}]` }, faults);
  }
}

/** The item of the old list that an item stands for: by its keys in map lists, else none. */
function correlated(
  { list, item }: Readonly<{ list: unknown; item: unknown; index: number }>,
  schema: TypeSchema,
): unknown {
  const keys = schema.listType === 'map' ? (schema.listMapKeys ?? []) : [];
  if (keys.length === 0 || !Array.isArray(list)) return undefined;
  return list.find((other: unknown) => keys.every((key) => sameJson(at(other, key), at(item, key))));
}

const formats: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\d[tT ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[zZ]|[+-]\d\d:\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
  ipv4: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  email: /^[^@\s]+@[^@\s]+$/,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
};

function checkText({ value, schema, path }: Place & { value: string }, faults: Faults): void {
  const length = Array.from(value).length;
  if (schema.maxLength !== undefined && length > schema.maxLength) faults.tooLong(path, schema.maxLength);
  else if (schema.minLength !== undefined && length < schema.minLength)
    faults.invalid(path, value, `${path} in body should be at least ${schema.minLength} chars long`);
  else if (schema.pattern !== undefined && !matches(schema.pattern, value))
    faults.invalid(path, value, `${path} in body should match '${schema.pattern}'`);
  const form = schema.format === undefined ? undefined : formats[schema.format];
  if (form !== undefined && schema.format !== undefined && !form.test(value))
    faults.add(
      path,
      'FieldValueInvalid',
      `Invalid value: ${shown(value)}: ${path} in body must be of type ${schema.format}: ${shown(value)}`,
    );
}

/** Go's expressions are a subset of ours but for a few escapes; one that we cannot read is taken to match. */
function matches(pattern: string, value: string): boolean {
  try {
    const inline = /^\(\?([ims]+)\)/.exec(pattern);
    return new RegExp(pattern.slice(inline?.[0].length ?? 0), inline?.[1] ?? '').test(value);
  } catch {
    return true;
  }
}

function checkNumber({ value, schema, path }: Place & { value: number }, faults: Faults): void {
  const { minimum, maximum, multipleOf } = schema;
  const low = minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum);
  const high = maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum);
  const or = (exclusive: boolean | undefined): string => (exclusive === true ? '' : ' or equal to');
  if (low)
    faults.invalid(path, value, `${path} in body should be greater than${or(schema.exclusiveMinimum)} ${minimum}`);
  if (high) faults.invalid(path, value, `${path} in body should be less than${or(schema.exclusiveMaximum)} ${maximum}`);
  if (multipleOf !== undefined && value % multipleOf !== 0)
    faults.invalid(path, value, `${path} in body should be a multiple of ${multipleOf}`);
}

/** Number of faults that a value has against one more schema. */
function faultsAgainst(place: Place, schema: TypeSchema, faults: Faults): readonly string[] {
  const before = faults.errors.length;
  checkValue({ ...place, old: undefined, schema }, faults);
  return faults.errors.splice(before).map((error) => error.message);
}

function checkCombined(place: Place, faults: Faults): void {
  const { schema, path, value } = place;
  const text = path === '' ? '""' : JSON.stringify(path);
  for (const one of schema.allOf ?? []) checkValue({ ...place, schema: one }, faults);
  const { anyOf, oneOf } = schema;
  if (
    anyOf !== undefined &&
    schema.intOrString !== true &&
    !anyOf.some((one) => faultsAgainst(place, one, faults).length === 0)
  )
    faults.invalid(path, '', `${text} must validate at least one schema (anyOf)`);
  if (oneOf !== undefined) {
    const count = oneOf.filter((one) => faultsAgainst(place, one, faults).length === 0).length;
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    if (count !== 1) faults.invalid(path, '', `${text} must validate one and only one schema (oneOf). ${found}`);
  }
  if (schema.not !== undefined && value !== undefined && faultsAgainst(place, schema.not, faults).length === 0)
    faults.invalid(path, '', `${text} must not validate the schema (not)`);
}

const shownInGo = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'boolean' ? String(value) : canonicalJson(value);

function goTypeName(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}

function checkScale(object: KubeObject, type: ResourceType, faults: Faults): void {
  const scale = type.custom?.scale;
  if (scale === undefined) return;
  const path = scale.specReplicasPath;
  const replicas = at(object, ...path.replace(/^\./, '').split('.'));
  if (typeof replicas === 'number' && replicas < 0) faults.invalid(path, replicas, 'should be a non-negative integer');
  if (replicas !== undefined && typeof replicas !== 'number') {
    const why = `${shownInGo(replicas)} is of the type ${goTypeName(replicas)}, expected int64`;
    faults.invalid(path, 0, `${path} accessor error: ${why}`);
  }
}

/** Sets hold no value twice, map lists no key. */
function checkLists({ value, schema, path }: Place, faults: Faults): void {
  if (Array.isArray(value)) {
    const seen = new Set<string>();
    for (const [index, item] of value.entries()) {
      const keys = schema.listMapKeys ?? [];
      const key: unknown =
        schema.listType === 'map' ? Object.fromEntries(keys.map((name) => [name, at(item, name)])) : item;
      const text = canonicalJson(key);
      if (schema.listType === 'set' || schema.listType === 'map')
        if (seen.has(text)) faults.duplicate(`${path}[${index}]`, key);
      seen.add(text);
      if (schema.items !== undefined)
        checkLists({ value: item, schema: schema.items, path: `${path}[${index}]` }, faults);
    }
  } else if (isRecord(value))
    for (const [key, child] of Object.entries(value)) {
      const property = schema.properties?.[key] ?? schema.additionalProperties;
      if (property !== undefined) checkLists({ value: child, schema: property, path: joined(path, key) }, faults);
    }
}

function hasRules(schema: TypeSchema): boolean {
  if ((schema.rules?.length ?? 0) > 0) return true;
  const parts = [schema.items, schema.additionalProperties, ...Object.values(schema.properties ?? {})];
  return parts.some((part) => part !== undefined && hasRules(part));
}

type Rules = Readonly<{ environment: Environment; faults: Faults }>;

function checkRules(place: Place, rules: Rules): void {
  const { value, old, schema, path } = place;
  if (value === undefined || value === null) return;
  for (const rule of schema.rules ?? []) {
    const input = { value, old: old ?? undefined, schema, environment: rules.environment };
    const verdict = holds(rule, input);
    if (verdict === true) continue;
    const usesOld = /\boldSelf\b/.test(rule.rule);
    if (!usesOld && kept(place)) continue;
    const detail = typeof verdict === 'string' ? verdict : faultText(rule, input);
    const target = rule.fieldPath === undefined ? path : joined(path, rule.fieldPath.replace(/^\./, ''));
    addRuleFault({ path: target, detail, reason: rule.reason, value, schema }, rules.faults);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined)
      for (const [index, item] of value.entries())
        checkRules(
          {
            value: item,
            old: correlated({ list: old, item, index }, schema),
            schema: items,
            path: `${path}[${index}]`,
          },
          rules,
        );
  } else if (isRecord(value))
    for (const [key, child] of Object.entries(value)) {
      const property = schema.properties?.[key] ?? schema.additionalProperties;
      const mapped = schema.properties?.[key] === undefined ? `${path}[${key}]` : joined(path, key);
      if (property !== undefined)
        checkRules({ value: child, old: at(old, key), schema: property, path: mapped }, rules);
    }
}

type RuleFault = Readonly<{
  path: string;
  detail: string;
  reason: string | undefined;
  value: unknown;
  schema: TypeSchema;
}>;

function addRuleFault({ path, detail, reason, value, schema }: RuleFault, faults: Faults): void {
  const at = path === '' ? '<nil>' : path;
  if (reason === 'FieldValueForbidden') faults.forbidden(at, detail);
  else if (reason === 'FieldValueRequired') faults.required(at, detail);
  else if (reason === 'FieldValueDuplicate') faults.duplicate(at, value);
  else if (schema.type === 'object' || schema.type === 'array')
    faults.add(at, 'FieldValueInvalid', `Invalid value: ${detail}`);
  else faults.invalid(at, value, detail);
}
