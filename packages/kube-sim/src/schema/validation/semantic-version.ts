const strict =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;

/** `v1.02` as `1.2.0`: what is left out is 0, leading zeros and a `v` go. */
function normalized(text: string): string {
  const [, numbers = '', rest = ''] = /^v?([\d.]*)(.*)$/.exec(text.trim()) ?? [];
  const parts = numbers.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return parts.join('.') + rest;
}

/** A version by https://semver.org. */
export class SemanticVersion {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];

  private constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  /** @throws Error when a text is none */
  static read(text: string, isLoose: boolean): SemanticVersion {
    const match = strict.exec(isLoose ? normalized(text) : text);
    if (match === null) throw new Error(`semver parse error: ${JSON.stringify(text)}`);
    const [, major = '0', minor = '0', patch = '0', prerelease = ''] = match;
    const numbers = [BigInt(major), BigInt(minor), BigInt(patch)] as const;
    return new SemanticVersion(numbers, prerelease === '' ? [] : prerelease.split('.'));
  }

  static isOne(text: string, isLoose: boolean): boolean {
    return strict.test(isLoose ? normalized(text) : text);
  }

  /** Negative, 0 or positive. */
  compareTo(other: SemanticVersion): number {
    for (const [index, number] of this.numbers.entries()) {
      const against = other.numbers[index] ?? 0n;
      if (number !== against) return number < against ? -1 : 1;
    }
    if (this.prerelease.length === 0 || other.prerelease.length === 0)
      return Math.sign(other.prerelease.length - this.prerelease.length);
    for (const [index, part] of this.prerelease.entries()) {
      const order = comparePart(part, other.prerelease[index]);
      if (order !== 0) return order;
    }
    return Math.sign(this.prerelease.length - other.prerelease.length);
  }
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

/** Numbers come before words; whatever is there comes after what is not. */
function comparePart(a: string, b: string | undefined): number {
  if (b === undefined) return 1;
  if (isNumber(a) && isNumber(b)) return Math.sign(Number(a) - Number(b));
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
