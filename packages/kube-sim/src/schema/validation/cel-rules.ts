import { Environment, Optional } from '@marcbachmann/cel-js';
import { isRecord, messageOf } from '@tiphys/api';
import type { TypeSchema, ValidationRule } from '../types.ts';
import { registerKubernetesFunctions } from './cel-functions.ts';

/** Steps are not counted by the library; a rule's text and its literals are what is bounded. */
const limits = { maxListElements: 10_000, maxMapEntries: 10_000, maxCallArguments: 64 };

/** CEL with everything that Kubernetes adds to it. */
export const createRuleEnvironment = (): Environment =>
  registerKubernetesFunctions(
    new Environment({
      unlistedVariablesAreDyn: true,
      homogeneousAggregateLiterals: false,
      enableOptionalTypes: true,
      limits,
    }),
  );

/** A JSON value as CEL sees it: whole numbers of integer fields are int, all others double. */
function asCel(value: unknown, schema: TypeSchema): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => asCel(item, schema.items ?? {}));
  if (isRecord(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [
        key,
        asCel(child, schema.properties?.[key] ?? schema.additionalProperties ?? {}),
      ]),
    );
  const whole = typeof value === 'number' && Number.isInteger(value) && schema.type !== 'number';
  return whole ? BigInt(value) : value;
}

/** Parts of a resource's root that rules may read besides its own fields. */
const rootParts = ['apiVersion', 'kind', 'metadata'];

/** What a rule is evaluated on; `old` is undefined where there is nothing to compare with. */
export type RuleInput = Readonly<{ value: unknown; old: unknown; schema: TypeSchema; environment: Environment }>;

/**
 * Whether a rule holds, or the error of its evaluation. Rules that use functions this server does not know hold:
 * refusing what a real cluster accepts would be worse than accepting what it refuses.
 */
export function holds(rule: ValidationRule, input: RuleInput): boolean | string {
  const usesOld = /\boldSelf\b/.test(rule.rule);
  if (usesOld && input.old === undefined && rule.optionalOldSelf !== true) return true;
  try {
    return input.environment.evaluate(rule.rule, variables(rule, input)) !== false;
  } catch (error) {
    const message = messageOf(error).split('\n')[0] ?? '';
    if (/overload|parse|unexpected|unknown variable/i.test(message)) return true;
    return `${message} evaluating rule: ${(rule.message ?? rule.rule).trim()}`;
  }
}

function variables(rule: ValidationRule, { value, old, schema }: RuleInput): Record<string, unknown> {
  const self = asCel(rooted(value), schema);
  const before = old === undefined ? undefined : asCel(rooted(old), schema);
  if (rule.optionalOldSelf === true)
    return { self, oldSelf: before === undefined ? Optional.none() : Optional.of(before) };
  return { self, ...(before !== undefined && { oldSelf: before }) };
}

/** At the root only the name and the generated name of the metadata can be read. */
function rooted(value: unknown): unknown {
  if (!isRecord(value) || !rootParts.every((part) => part in value) || !isRecord(value['metadata'])) return value;
  const { name, generateName } = value['metadata'];
  return {
    ...value,
    metadata: { ...(name !== undefined && { name }), ...(generateName !== undefined && { generateName }) },
  };
}

/** What is said when a rule does not hold: its expression's text, its message, or the rule itself. */
export function faultText(rule: ValidationRule, input: RuleInput): string {
  if (rule.messageExpression !== undefined) {
    try {
      const text: unknown = input.environment.evaluate(rule.messageExpression, variables(rule, input));
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text;
    } catch {
      // The API server, too, falls back to the message then.
    }
  }
  const message = rule.message?.trim() ?? '';
  return message === '' ? `failed rule: ${rule.rule.trim()}` : message;
}
