import { isRecord, listAt, type KubeObject } from '@tiphys/api';

/** One entry of `status.conditions`. */
export type Condition = Readonly<{ type: string; status: string; reason: string; message: string }>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The conditions of an object in order; fields of another type than string read as empty. */
export const conditionsOf = (live: KubeObject): readonly Condition[] =>
  listAt(live, 'status', 'conditions')
    .filter(isRecord)
    .map(({ type, status, reason, message }) => ({
      type: text(type),
      status: text(status),
      reason: text(reason),
      message: text(message),
    }));

/** The first condition of a type. */
export const conditionOf = (live: KubeObject, type: string): Condition | undefined =>
  conditionsOf(live).find((condition) => condition.type === type);
