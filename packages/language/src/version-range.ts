import { CodedError } from '@tiphys/api';
import { parse, type SemVer } from 'semver';

/** A version as charts and tags write it: a leading `v` and missing parts are allowed. */
export type Version = Readonly<{ text: string; semver: SemVer }>;

const versionShape = /^v?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.(0|[1-9]\d*))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** Reads a version (`1.2.3`, `v1.2`, `1.2.3-rc.1+build`); undefined when the text is none. */
export function parseVersion(text: string): Version | undefined {
  const found = versionShape.exec(text);
  if (found === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', pre = '', build = ''] = found;
  const semver = parse(`${major}.${minor}.${patch}${pre}${build}`);
  return semver === null ? undefined : { text, semver };
}

const operators = ['', '=', '==', '!=', '>', '<', '>=', '=>', '<=', '=<', '~', '~>', '^'] as const;
type Operator = (typeof operators)[number];

/** One comparison of a range; `loose` is the part of the version that is missing or a wildcard, with all after it. */
type Comparison = Readonly<{ operator: Operator; version: SemVer; loose: 'major' | 'minor' | 'patch' | undefined }>;

/** A version range; an AND of comparisons within an OR. */
export type VersionRange = Readonly<{ text: string; allows: (version: Version) => boolean }>;

const part = String.raw`(\d+|[xX*])`;
const loosely = String.raw`v?${part}(?:\.${part})?(?:\.${part})?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?`;
const comparisonShape = new RegExp(String.raw`^(=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^)?\s*${loosely}$`);
const comparisonsShape = new RegExp(String.raw`(?:(?:=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^)\s*)?${loosely}`, 'g');
const hyphenShape = new RegExp(String.raw`(${loosely})\s+-\s+(${loosely})`, 'g');

const isWild = (text: string | undefined): boolean => text === undefined || /^[xX*]$/.test(text);

function parseComparison(text: string): Comparison | undefined {
  const found = comparisonShape.exec(text);
  if (found === null) return undefined;
  const [, operator = '', major, minor, patch, pre = ''] = found;
  const loose = isWild(major) ? 'major' : isWild(minor) ? 'minor' : isWild(patch) ? 'patch' : undefined;
  const number = (value: string | undefined, wild: boolean): string => (wild ? '0' : (value ?? '0'));
  const wildMinor = loose === 'major' || loose === 'minor';
  const plain = [number(major, loose === 'major'), number(minor, wildMinor), number(patch, loose !== undefined)];
  const version = parse(`${plain.join('.')}${pre}`);
  return version === null ? undefined : { operator: operators.find((o) => o === operator) ?? '', version, loose };
}

const looseMinor = ({ loose }: Comparison): boolean => loose === 'minor';
const loosePatch = ({ loose }: Comparison): boolean => loose === 'minor' || loose === 'patch';

// The rules below are those of Masterminds/semver 3, which Helm and Argo CD use; node-semver differs in wildcards and pre-releases.

function aboveLoose(seen: SemVer, comparison: Comparison): boolean {
  const { version } = comparison;
  if (seen.major !== version.major) return seen.major > version.major;
  if (comparison.loose === 'major') return seen.compare(version) > 0;
  return !looseMinor(comparison) && seen.minor > version.minor;
}

function atMostLoose(seen: SemVer, comparison: Comparison): boolean {
  const { version } = comparison;
  if (seen.major > version.major) return false;
  return !(seen.major === version.major && seen.minor > version.minor && !looseMinor(comparison));
}

function differsLoose(seen: SemVer, comparison: Comparison): boolean {
  const { version } = comparison;
  if (comparison.loose === 'major') return seen.compare(version) !== 0;
  if (seen.major !== version.major) return true;
  if (seen.minor !== version.minor && !looseMinor(comparison)) return true;
  return false;
}

function tilde(seen: SemVer, comparison: Comparison): boolean {
  const { version } = comparison;
  if (seen.compare(version) < 0) return false;
  const isZero = version.major === 0 && version.minor === 0 && version.patch === 0;
  // `*`, and `~0.0.0`, which is taken for it.
  if (comparison.loose === 'major' || (isZero && comparison.loose === undefined)) return true;
  return seen.major === version.major && (seen.minor === version.minor || looseMinor(comparison));
}

function caret(seen: SemVer, comparison: Comparison): boolean {
  const { version } = comparison;
  if (seen.compare(version) < 0) return false;
  if (version.major > 0 || looseMinor(comparison)) return seen.major === version.major;
  if (seen.major > 0) return false;
  if (version.minor > 0 || loosePatch(comparison)) return seen.minor === version.minor;
  return seen.minor === 0 && seen.patch === version.patch;
}

function holds(seen: SemVer, comparison: Comparison): boolean {
  const { operator, version, loose } = comparison;
  switch (operator) {
    case '':
    case '=':
    case '==':
      return loose === undefined ? seen.compare(version) === 0 : tilde(seen, comparison);
    case '!=':
      return loose === undefined ? seen.compare(version) !== 0 : differsLoose(seen, comparison);
    case '>':
      return loose === undefined ? seen.compare(version) > 0 : aboveLoose(seen, comparison);
    case '<':
      return seen.compare(version) < 0;
    case '>=':
    case '=>':
      return seen.compare(version) >= 0;
    case '<=':
    case '=<':
      return loose === undefined ? seen.compare(version) <= 0 : atMostLoose(seen, comparison);
    case '~':
    case '~>':
      return tilde(seen, comparison);
    case '^':
      return caret(seen, comparison);
  }
}

function parseAll(text: string): readonly Comparison[] | undefined {
  const plain = text.replace(hyphenShape, (_, low: string, ...rest: unknown[]) => `>=${low} <=${String(rest[5])}`);
  const words = plain.match(comparisonsShape) ?? [];
  // What is left beside the comparisons may only be what parts them.
  if (words.length === 0 || !/^[\s,]*$/.test(plain.replace(comparisonsShape, ''))) return undefined;
  const comparisons = words.map((word) => parseComparison(word.trim()));
  return comparisons.every((comparison) => comparison !== undefined) ? comparisons : undefined;
}

/**
 * Reads a version range as Helm and Argo CD write it: `1.2.*`, `~1.2`, `^1`, `>=1.2 <3`, `>=1.2, <3 || 5.x`, `1.2 - 2.3`.
 * An exact version is a range too.
 * @throws CodedError language/invalid
 */
export function parseVersionRange(text: string): VersionRange {
  const alternatives = text.split('||').map((alternative) => parseAll(alternative.trim()));
  if (!alternatives.every((alternative) => alternative !== undefined))
    throw new CodedError(
      'language/invalid',
      `"${text}" is no version range; write it like "1.2.*", "^1.2" or ">=1.2 <3"`,
    );
  const allows = ({ semver }: Version): boolean =>
    alternatives.some(
      (comparisons) =>
        // A pre-release is only in a range that names one.
        (semver.prerelease.length === 0 || comparisons.some(({ version }) => version.prerelease.length > 0)) &&
        comparisons.every((comparison) => holds(semver, comparison)),
    );
  return { text, allows };
}

/** Whether a text is a version range and not one exact version. */
export function isVersionRange(text: string): boolean {
  if (text === '' || parseVersion(text) !== undefined) return false;
  try {
    parseVersionRange(text);
    return true;
  } catch {
    return false;
  }
}

/** The highest of the versions that a range allows, as it was written; texts that are no versions are passed over. */
export function highestVersion(range: VersionRange, versions: Iterable<string>): string | undefined {
  let highest: Version | undefined;
  for (const text of versions) {
    const version = parseVersion(text);
    if (version === undefined || !range.allows(version)) continue;
    if (highest === undefined || version.semver.compare(highest.semver) > 0) highest = version;
  }
  return highest?.text;
}
