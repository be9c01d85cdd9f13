import { CodedError } from '@tiphys/api';

const nanosecondsOf: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Reads a duration as Go writes it (`300ms`, `1h30m`, `-1.5h`, `0`).
 * @returns milliseconds, with a fraction where the text is finer than that
 * @throws CodedError language/invalid
 */
export function parseDuration(text: string): number {
  const invalid = (): CodedError =>
    new CodedError('language/invalid', `"${text}" is no duration; write it like "30s", "5m" or "1h30m"`);
  const negative = text.startsWith('-');
  const body = /^[-+]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  if (body === '') throw invalid();
  let nanoseconds = 0;
  part.lastIndex = 0;
  while (part.lastIndex < body.length) {
    const found = part.exec(body);
    if (found === null) throw invalid();
    // What is finer than a nanosecond is cut off, part by part; the small sum undoes the error of binary fractions.
    nanoseconds += Math.floor(Number(found[1]) * (nanosecondsOf[found[2] ?? ''] ?? 0) + 1e-6);
  }
  // Go keeps durations in 64 bits of nanoseconds: about 292 years.
  if (nanoseconds >= 2 ** 63) throw invalid();
  return (negative ? -nanoseconds : nanoseconds) / 1e6;
}

const fraction = (value: number): string => value.toFixed(9).replace(/\.?0+$/, '');

/** Writes milliseconds as Go prints a duration: `1h30m0s`, `2m0s`, `1.5s`, `300ms`, `0s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`;
  if (milliseconds === 0) return '0s';
  if (milliseconds < 0.001) return `${Math.round(milliseconds * 1e6)}ns`;
  if (milliseconds < 1) return `${fraction(milliseconds * 1e3)}µs`;
  if (milliseconds < 1000) return `${milliseconds.toFixed(6).replace(/\.?0+$/, '')}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
  const seconds = fraction((milliseconds % 60_000) / 1000);
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
