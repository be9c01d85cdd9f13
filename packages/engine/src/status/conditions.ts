import type { ApplicationCondition, Because } from '@tiphys/api';

/** The condition types of contract 1.5, and ours for what an application's own text gets wrong. */
export const conditionTypes = [
  'DeletionError',
  'InvalidSpecError',
  'ComparisonError',
  'SyncError',
  'UnknownError',
  'SharedResourceWarning',
  'RepeatedResourceWarning',
  'ExcludedResourceWarning',
  'OrphanedResourceWarning',
  'SpecWarning',
] as const;

export type ConditionType = (typeof conditionTypes)[number];

/** A condition that holds now. */
export type FoundCondition = Readonly<{ type: ConditionType; message: string }>;

const identity = ({ type, message }: Pick<ApplicationCondition, 'type' | 'message'>): string => `${type} ${message}`;

/**
 * The conditions after a look. Of the types that were looked at only those found remain, with the time since when they have held;
 * other types stay as they were.
 */
export function mergeConditions(
  before: readonly ApplicationCondition[],
  found: readonly FoundCondition[],
  look: Readonly<{ types: readonly ConditionType[]; now: Date }>,
): readonly ApplicationCondition[] {
  const evaluated = new Set<string>(look.types);
  const times = new Map(before.map((condition) => [identity(condition), condition.lastTransitionTime]));
  const stamp = look.now.toISOString().replace(/\.\d{3}Z$/, 'Z');
  const distinct = [...new Map(found.map((condition) => [identity(condition), condition])).values()];
  return [
    ...before.filter(({ type }) => !evaluated.has(type)),
    ...distinct.map(({ type, message }) => ({
      type,
      message,
      lastTransitionTime: times.get(identity({ type, message })) ?? stamp,
    })),
  ];
}

/** The reasons of a stage as conditions of one type. */
export const asConditions = (type: ConditionType, reasons: readonly Because[]): readonly FoundCondition[] =>
  reasons.map(({ code, message }) => ({ type, message: message ?? code }));
