import type { Environment } from '@marcbachmann/cel-js';
import {
  addQuantities,
  compareQuantities,
  negated,
  parseQuantity,
  quantityNumber,
  type Quantity as QuantityValue,
} from '../quantity.ts';
import { registerAddresses, registerLinks } from './cel-addresses.ts';
import { registerLists } from './cel-lists.ts';
import { registerFormats, registerTexts } from './cel-texts.ts';
import { SemanticVersion } from './semantic-version.ts';

/*
 * The functions that Kubernetes adds to CEL and that the library lacks, by the libraries of
 * https://kubernetes.io/docs/reference/using-api/cel/.
 */

class Quantity {
  readonly value: QuantityValue;
  constructor(value: QuantityValue) {
    this.value = value;
  }
  static read(text: string): Quantity {
    const value = parseQuantity(text);
    if (value === undefined) throw new Error(`invalid quantity ${JSON.stringify(text)}`);
    return new Quantity(value);
  }
}

const compared = (a: Quantity, b: Quantity): number => compareQuantities(a.value, b.value);

const int = (value: bigint): QuantityValue => ({ unscaled: value, scale: 0, family: 'decimal' });

/** The whole number that a quantity is; undefined when it is none. */
function wholeOf({ value: { unscaled, scale } }: Quantity): bigint | undefined {
  if (scale <= 0) return unscaled * 10n ** BigInt(-scale);
  const unit = 10n ** BigInt(scale);
  return unscaled % unit === 0n ? unscaled / unit : undefined;
}

function asInteger(quantity: Quantity): bigint {
  const whole = wholeOf(quantity);
  if (whole === undefined) throw new Error('cannot convert value to integer');
  return whole;
}

const sum = (a: Quantity, b: QuantityValue): Quantity => new Quantity(addQuantities(a.value, b));

const registerQuantities = (environment: Environment): Environment =>
  environment
    .registerType('Quantity', { ctor: Quantity, fields: {} })
    .registerFunction('quantity(string): Quantity', (text: string) => Quantity.read(text))
    .registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
    .registerFunction('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) => BigInt(compared(a, b)))
    .registerFunction('Quantity.isGreaterThan(Quantity): bool', (a: Quantity, b: Quantity) => compared(a, b) > 0)
    .registerFunction('Quantity.isLessThan(Quantity): bool', (a: Quantity, b: Quantity) => compared(a, b) < 0)
    .registerFunction('Quantity.isInteger(): bool', (a: Quantity) => wholeOf(a) !== undefined)
    .registerFunction('Quantity.asInteger(): int', asInteger)
    .registerFunction('Quantity.asApproximateFloat(): double', (a: Quantity) => quantityNumber(a.value))
    .registerFunction('Quantity.add(Quantity): Quantity', (a: Quantity, b: Quantity) => sum(a, b.value))
    .registerFunction('Quantity.add(int): Quantity', (a: Quantity, b: bigint) => sum(a, int(b)))
    .registerFunction('Quantity.sub(Quantity): Quantity', (a: Quantity, b: Quantity) => sum(a, negated(b.value)))
    .registerFunction('Quantity.sub(int): Quantity', (a: Quantity, b: bigint) => sum(a, int(-b)))
    .registerOperator('Quantity == Quantity', (a: Quantity, b: Quantity) => compared(a, b) === 0);

const ordered = (a: SemanticVersion, b: SemanticVersion): number => a.compareTo(b);

const registerVersions = (environment: Environment): Environment =>
  environment
    .registerType('kubernetes.Semver', { ctor: SemanticVersion, fields: {} })
    .registerFunction('semver(string): kubernetes.Semver', (text: string) => SemanticVersion.read(text, false))
    .registerFunction('semver(string, bool): kubernetes.Semver', (text: string, loose: boolean) =>
      SemanticVersion.read(text, loose),
    )
    .registerFunction('isSemver(string): bool', (text: string) => SemanticVersion.isOne(text, false))
    .registerFunction('isSemver(string, bool): bool', (text: string, loose: boolean) =>
      SemanticVersion.isOne(text, loose),
    )
    .registerFunction('kubernetes.Semver.major(): int', (a: SemanticVersion) => a.numbers[0])
    .registerFunction('kubernetes.Semver.minor(): int', (a: SemanticVersion) => a.numbers[1])
    .registerFunction('kubernetes.Semver.patch(): int', (a: SemanticVersion) => a.numbers[2])
    .registerFunction('kubernetes.Semver.compareTo(kubernetes.Semver): int', (a: SemanticVersion, b: SemanticVersion) =>
      BigInt(ordered(a, b)),
    )
    .registerFunction(
      'kubernetes.Semver.isLessThan(kubernetes.Semver): bool',
      (a: SemanticVersion, b: SemanticVersion) => ordered(a, b) < 0,
    )
    .registerFunction(
      'kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool',
      (a: SemanticVersion, b: SemanticVersion) => ordered(a, b) > 0,
    );

const libraries = [
  registerQuantities,
  registerAddresses,
  registerLinks,
  registerFormats,
  registerVersions,
  registerLists,
  registerTexts,
];

/** Adds all libraries to an environment. */
export function registerKubernetesFunctions(environment: Environment): Environment {
  for (const register of libraries) register(environment);
  return environment;
}
