import { isCoded, isRecord } from '@tiphys/api';
import type { FieldShape } from './field-shape.ts';
import { compareQuantities, parseDuration, parseQuantity } from '@tiphys/language';

/** Whether two scalars mean the same to the server. */
export function equalScalars(desired: unknown, live: unknown, shape: FieldShape | undefined): boolean {
  if (desired === live) return true;
  if (isNumber(desired) && isNumber(live)) return Number(desired) === Number(live) && String(desired) === String(live);
  switch (shape?.scalar) {
    case 'quantity':
      return equalQuantities(desired, live);
    case 'duration':
      return equalDurations(desired, live);
    case 'intOrString':
      return isIntOrString(desired) && isIntOrString(live) && String(desired) === String(live);
    case undefined:
      return false;
  }
}

/** `1000m` and `1`, `1Gi` and `1024Mi`. */
function equalQuantities(a: unknown, b: unknown): boolean {
  if (!isIntOrString(a) || !isIntOrString(b)) return false;
  try {
    // By amount, not by canonical text: 1024Mi keeps another form than 1.073741824G.
    return compareQuantities(parseQuantity(a), parseQuantity(b)) === 0;
  } catch (error) {
    if (isCoded(error, 'language/invalid')) return false;
    throw error;
  }
}

/** `60s` and `1m0s`. */
function equalDurations(a: unknown, b: unknown): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return false;
  try {
    return parseDuration(a) === parseDuration(b);
  } catch (error) {
    if (isCoded(error, 'language/invalid')) return false;
    throw error;
  }
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';
const isIntOrString = (value: unknown): value is number | bigint | string =>
  isNumber(value) || typeof value === 'string';

/**
 * Whether a desired value says no more than silence: the server of a built-in kind drops it. In a custom resource only null does;
 * there `false` and `""` are kept as they are.
 */
export function saysNothing(desired: unknown, shape: FieldShape | undefined): boolean {
  if (desired === null || desired === undefined) return true;
  if (shape === undefined) return false;
  if (Array.isArray(desired)) return desired.length === 0 && shape.list !== undefined;
  if (isRecord(desired)) {
    if (shape.map !== undefined) return Object.values(desired).every((value) => value === null);
    return false;
  }
  if (shape.zeroOmitted !== true) return false;
  return desired === '' || desired === false || desired === 0;
}

/** The same value without nulls, which say nothing to the server. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, entry]) => entry !== null && entry !== undefined);
  return Object.fromEntries(kept.map(([key, entry]) => [key, withoutNulls(entry)]));
}
