/** A quantity as value = unscaled * 10^-scale, in the family of suffixes it was written in. */
export type Quantity = Readonly<{ unscaled: bigint; scale: number; family: 'decimal' | 'binary' | 'exponent' }>;

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const nanoScale = 9;
const maxInt64 = 9223372036854775807n;

const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]?)|([KMGTPE]i)|[eE]([+-]?\d+))$/;

/** Reads a Kubernetes quantity; undefined when it is none. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', decimal, binary, exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const magnitude = BigInt(whole + fraction);
  const digits = sign === '-' ? -magnitude : magnitude;
  if (binary !== undefined) {
    const shift = BigInt(10 * binarySuffixes.indexOf(binary));
    return capped({ unscaled: digits << shift, scale: fraction.length, family: 'binary' });
  }
  if (exponent !== undefined)
    return capped({ unscaled: digits, scale: fraction.length - Number(exponent), family: 'exponent' });
  const power = 3 * (decimalSuffixes.indexOf(decimal ?? '') - 3);
  return capped({ unscaled: digits, scale: fraction.length - power, family: 'decimal' });
}

/** Nothing finer than nano is kept (rounded away from zero), and binary values end at 2^63 - 1. */
function capped(quantity: Quantity): Quantity {
  const { unscaled, scale, family } = rounded(quantity, nanoScale);
  const limit = maxInt64 * 10n ** BigInt(Math.max(scale, 0));
  if (family === 'binary' && unscaled > limit) return { unscaled: maxInt64, scale: 0, family };
  const belowOne = unscaled > 0n && scale > 0 && unscaled < 10n ** BigInt(scale);
  return { unscaled, scale, family: family === 'binary' && belowOne ? 'decimal' : family };
}

/** At most `scale` decimal places; what is cut off rounds away from zero. */
function rounded(quantity: Quantity, scale: number): Quantity {
  if (quantity.scale <= scale) return quantity;
  const unit = 10n ** BigInt(quantity.scale - scale);
  const rest = quantity.unscaled % unit;
  const away = rest === 0n ? 0n : quantity.unscaled < 0n ? -1n : 1n;
  return { ...quantity, unscaled: quantity.unscaled / unit + away, scale };
}

function formatDecimal(quantity: Quantity): string {
  let { unscaled, scale } = quantity;
  if (unscaled === 0n) return '0';
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale -= 1;
  }
  // Suffixes go in steps of a thousand.
  while (scale % 3 !== 0) {
    unscaled *= 10n;
    scale += 1;
  }
  const power = -scale / 3;
  if (quantity.family === 'exponent') return power === 0 ? unscaled.toString() : `${unscaled.toString()}e${-scale}`;
  return `${unscaled.toString()}${decimalSuffixes[power + 3] ?? `e${-scale}`}`;
}

function formatBinary(quantity: Quantity): string {
  const whole = rounded(quantity, 0);
  let value = whole.unscaled * 10n ** BigInt(-whole.scale);
  let step = 0;
  while (value !== 0n && value % 1024n === 0n && step < binarySuffixes.length - 1) {
    value /= 1024n;
    step += 1;
  }
  return `${value.toString()}${binarySuffixes[step] ?? ''}`;
}

/** Compares two quantities. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const scale = Math.max(a.scale, b.scale);
  const left = a.unscaled * 10n ** BigInt(scale - a.scale);
  const right = b.unscaled * 10n ** BigInt(scale - b.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The canonical text of a quantity: one value, one text, in its family of suffixes. */
export function formatQuantity(quantity: Quantity): string {
  const kilo: Quantity = { unscaled: 1024n, scale: 0, family: 'decimal' };
  const small = compareQuantities({ ...quantity, unscaled: absolute(quantity.unscaled) }, kilo) < 0;
  return quantity.family === 'binary' && !small ? formatBinary(quantity) : formatDecimal(quantity);
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** Rounded up to thousandths, as resource lists are when they are defaulted. */
export const roundUpToMilli = (quantity: Quantity): Quantity => rounded(quantity, 3);

/**
 * The text under which the API server gives a quantity back; undefined when it is none. It reuses a text that looks
 * canonical without computing it anew, so `1.500` stays and `1.5` becomes `1500m`.
 */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  return looksCanonical(text) ? text : formatQuantity(quantity);
}

function looksCanonical(text: string): boolean {
  const match = form.exec(text);
  if (text === '0') return true;
  if (match === null) return false;
  const [, , written = '', fraction = '', decimal, binary, exponent] = match;
  const whole = written.replace(/^0+/, '');
  if (binary !== undefined) {
    const power = 10 * binarySuffixes.indexOf(binary);
    const precision = 15 - whole.length - Math.trunc((power * 3) / 10) - 1;
    return fraction === '' && precision >= 0 && (BigInt(`0${whole}`) & 7n) !== 0n;
  }
  const digits = whole + fraction;
  const power = exponent === undefined ? 3 * (decimalSuffixes.indexOf(decimal ?? '') - 3) : Number(exponent);
  const scale = power - fraction.length;
  if (18 - digits.length < 0 || scale < -nanoScale) return false;
  return scale % 3 === 0 && !digits.endsWith('000') && digits !== '' && !digits.startsWith('0');
}

/** The sum, in the family of suffixes of the first that is not zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const scale = Math.max(a.scale, b.scale, 0);
  const unscaled = a.unscaled * 10n ** BigInt(scale - a.scale) + b.unscaled * 10n ** BigInt(scale - b.scale);
  return { unscaled, scale, family: a.unscaled === 0n ? b.family : a.family };
}

export const zeroQuantity: Quantity = { unscaled: 0n, scale: 0, family: 'decimal' };

export const negated = (quantity: Quantity): Quantity => ({ ...quantity, unscaled: -quantity.unscaled });

/** The value as a number, for ratios. */
export const quantityNumber = ({ unscaled, scale }: Quantity): number => Number(unscaled) / 10 ** scale;
