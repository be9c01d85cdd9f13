import { isRecord, stringifyJson } from '@tiphys/api';
import type { FieldError, FieldErrorReason } from '../types.ts';

/** Collects what is wrong with an object, worded as the API server words it. */
export class Faults {
  readonly errors: FieldError[] = [];

  add(path: string, reason: FieldErrorReason, detail: string): void {
    this.errors.push({ path, reason, detail, message: `${path}: ${detail}` });
  }

  required(path: string, why = ''): void {
    this.add(path, 'FieldValueRequired', `Required value${after(why)}`);
  }

  invalid(path: string, value: unknown, why: string): void {
    this.add(path, 'FieldValueInvalid', `Invalid value: ${shown(value)}${after(why)}`);
  }

  /** A value that is not shown: what is wrong is not one part of it. */
  wrong(path: string, why: string): void {
    this.add(path, 'FieldValueInvalid', `Invalid value: ${why}`);
  }

  /** One fault for each reason why a text has not the right form. */
  malformed(path: string, value: string, reasons: readonly string[]): void {
    for (const why of reasons) this.invalid(path, value, why);
  }

  unsupported(path: string, value: unknown, supported: readonly string[]): void {
    const list = supported.map((one) => JSON.stringify(one)).join(', ');
    this.add(path, 'FieldValueNotSupported', `Unsupported value: ${shown(value)}: supported values: ${list}`);
  }

  forbidden(path: string, why: string): void {
    this.add(path, 'FieldValueForbidden', `Forbidden${after(why)}`);
  }

  duplicate(path: string, value: unknown): void {
    this.add(path, 'FieldValueDuplicate', `Duplicate value: ${shown(value)}`);
  }

  notFound(path: string, value: unknown): void {
    this.add(path, 'FieldValueNotFound', `Not found: ${shown(value)}`);
  }

  tooLong(path: string, limit: number): void {
    this.add(path, 'FieldValueTooLong', `Too long: may not be more than ${limit} byte${limit === 1 ? '' : 's'}`);
  }

  tooMany(path: string, count: number, limit: number): void {
    const detail = `Too many: ${count}: must have at most ${limit} item${limit === 1 ? '' : 's'}`;
    this.add(path, 'FieldValueTooMany', detail);
  }

  oneOf(path: string, value: unknown, supported: readonly string[]): void {
    if (typeof value !== 'string' || value === '') this.required(path);
    else if (!supported.includes(value)) this.unsupported(path, value, supported);
  }

  notNegative(path: string, value: unknown): void {
    if (typeof value === 'number' && value < 0) this.invalid(path, value, 'must be greater than or equal to 0');
  }

  port(path: string, value: unknown): void {
    if (typeof value === 'number' && (value < 1 || value > 65535))
      this.invalid(path, value, 'must be between 1 and 65535, inclusive');
  }
}

const after = (why: string): string => (why === '' ? '' : `: ${why}`);

/** A value as messages show it: texts quoted, everything else as JSON. */
export const shown = (value: unknown): string => (value === undefined ? 'null' : stringifyJson(value));

/** The object at a field; empty when there is none. */
export const partOf = (value: unknown, field: string): Record<string, unknown> => {
  const part = isRecord(value) ? value[field] : undefined;
  return isRecord(part) ? part : {};
};

/** The list at a field; empty when there is none. */
export const itemsAt = (value: unknown, field: string): readonly unknown[] => {
  const list = isRecord(value) ? value[field] : undefined;
  return Array.isArray(list) ? list : [];
};

/** The text at a field; empty when there is none. */
export const textAt = (value: unknown, field: string): string => {
  const text = isRecord(value) ? value[field] : undefined;
  return typeof text === 'string' ? text : '';
};

export const numberIn = (value: unknown, field: string): number | undefined => {
  const number = isRecord(value) ? value[field] : undefined;
  return typeof number === 'number' ? number : typeof number === 'bigint' ? Number(number) : undefined;
};
