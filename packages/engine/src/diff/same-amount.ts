/** Binary and decimal suffixes of a Kubernetes quantity, as powers. */
const binary: Readonly<Record<string, bigint>> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d{1,2}))$/;
const scale = 30;

/** A quantity in units of 10^-30, so that every suffix is exact. */
function readQuantity(value: unknown): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const parts = form.exec(String(value).trim());
  if (parts === null) return undefined;
  const [, sign, whole = '', fraction = '', power2, power10, exponent] = parts;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  const shift = scale - fraction.length + (exponent === undefined ? (decimal[power10 ?? ''] ?? 0) : Number(exponent));
  if (shift < 0 || shift > 120) return undefined;
  const amount = digits * 10n ** BigInt(shift) * (power2 === undefined ? 1n : (binary[power2] ?? 1n));
  return sign === '-' ? -amount : amount;
}

/** Whether two quantities are the same amount: `1000m` and `1`, `1Gi` and `1024Mi`. */
export function equalQuantities(a: unknown, b: unknown): boolean {
  const left = readQuantity(a);
  return left !== undefined && left === readQuantity(b);
}

const unitsNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };

function readDuration(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^[+-]?(?:0|(?:[\d.]+(?:ns|us|µs|ms|s|m|h))+)$/.test(value)) return undefined;
  const total = [...value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitsNs[unit ?? ''] ?? 0),
    0,
  );
  return value.startsWith('-') ? -total : total;
}

/** Whether two Go durations are the same length: `60s` and `1m0s`. */
export function equalDurations(a: unknown, b: unknown): boolean {
  const left = readDuration(a);
  return left !== undefined && left === readDuration(b);
}
