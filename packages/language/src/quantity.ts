import { CodedError } from '@tiphys/api';

/** A quantity of Kubernetes: `value` in billionths (its finest step), and the family of suffixes it was written in. */
export type Quantity = Readonly<{ nano: bigint; format: 'decimal' | 'binary' | 'exponent' }>;

const billion = 1_000_000_000n;
const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

const shape = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d{1,3})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/;

/** The largest magnitude that the API server keeps; larger ones are cut to it. */
const limit = (2n ** 63n - 1n) * billion;

function scaleOf(exponent: string | undefined, suffix: string): { factor: bigint; divisor: bigint } {
  if (exponent !== undefined) return power(Number(exponent));
  const twos = suffix === '' ? -1 : binary.indexOf(suffix as (typeof binary)[number]);
  if (twos > 0) return { factor: 1024n ** BigInt(twos), divisor: 1n };
  return power((decimal.indexOf(suffix as (typeof decimal)[number]) - 3) * 3);
}

const power = (tens: number): { factor: bigint; divisor: bigint } =>
  tens >= 0 ? { factor: 10n ** BigInt(tens), divisor: 1n } : { factor: 1n, divisor: 10n ** BigInt(-tens) };

/**
 * Reads a quantity (`100m`, `1.5Gi`, `1e3`). What is finer than a billionth is rounded up, as the API server does.
 * @throws CodedError language/invalid
 */
export function parseQuantity(text: string | number | bigint): Quantity {
  const written = String(text);
  const found = shape.exec(written);
  const [, sign = '', whole = '', part = '', marker, exponent, suffix = ''] = found ?? [];
  if (found === null || (whole === '' && part === ''))
    throw new CodedError('language/invalid', `"${written}" is no quantity; write it like "500m", "2" or "1.5Gi"`);
  const { factor, divisor } = scaleOf(marker === undefined ? undefined : exponent, suffix);
  const numerator = BigInt(`${whole}${part}` || '0') * billion * factor;
  const denominator = 10n ** BigInt(part.length) * divisor;
  const magnitude = (numerator + denominator - 1n) / denominator;
  const bounded = magnitude > limit ? limit : magnitude;
  const format = marker !== undefined ? 'exponent' : suffix.endsWith('i') ? 'binary' : 'decimal';
  return { nano: sign === '-' ? -bounded : bounded, format };
}

/**
 * Reads a size in bytes, written as a quantity (`10M`, `1Gi`).
 * @throws CodedError language/invalid, also for one below a byte
 */
export function parseBytes(text: string): number {
  const bytes = Number(parseQuantity(text).nano / billion);
  if (bytes < 1)
    throw new CodedError('language/invalid', `"${text}" is no size; write one above 0, like "10M" or "1Gi"`);
  return bytes;
}

/** -1, 0 or 1: which of two quantities is larger, whatever they were written in. */
export const compareQuantities = (a: Quantity, b: Quantity): number => (a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0);

function formatBinary(nano: bigint): string | undefined {
  // Below 1024, and for fractions, the API server writes such a quantity with decimal suffixes.
  if (nano % billion !== 0n || nano < 1024n * billion) return undefined;
  let value = nano / billion;
  let step = 0;
  while (value % 1024n === 0n && step < binary.length - 1) {
    value /= 1024n;
    step += 1;
  }
  return `${value}${binary[step] ?? ''}`;
}

function formatDecimal(nano: bigint, suffixOf: (step: number) => string): string {
  let value = nano;
  let step = 0;
  while (value % 1000n === 0n && step < decimal.length - 1) {
    value /= 1000n;
    step += 1;
  }
  return `${value}${suffixOf(step)}`;
}

/** The one form in which the API server keeps a quantity: no fraction, the largest suffix that leaves none. */
export function formatQuantity(quantity: Quantity): string {
  const { nano, format } = quantity;
  if (nano === 0n) return '0';
  if (nano < 0n) return `-${formatQuantity({ nano: -nano, format })}`;
  if (format === 'binary') {
    const text = formatBinary(nano);
    if (text !== undefined) return text;
  }
  if (format === 'exponent') return formatDecimal(nano, (step) => (step === 3 ? '' : `e${(step - 3) * 3}`));
  return formatDecimal(nano, (step) => decimal[step] ?? '');
}

/** The canonical form of a quantity's text; undefined when the text is none. */
export function canonicalQuantity(text: string | number | bigint): string | undefined {
  try {
    return formatQuantity(parseQuantity(text));
  } catch {
    return undefined;
  }
}
