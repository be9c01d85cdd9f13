import {
  defineScalarTag,
  dump,
  FAILSAFE_SCHEMA,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  YAMLException,
} from 'js-yaml';
import { CodedError, messageOf } from './error.ts';

// The scalars are those that kubectl reads (YAML 1.1 as its Go library has it), not YAML 1.2: a manifest that says `yes`,
// `0777` or `1_000` means the same here and there.
const booleans = new Map<string, boolean>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: Array.from('yYnNtTfFoO'),
  resolve: (source) => booleans.get(source) ?? NOT_RESOLVED,
  identify: (data) => typeof data === 'boolean',
});

const digits = Array.from('+-.0123456789');
const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const limits = { min: -(2n ** 63n), max: 2n ** 64n - 1n };

function readInteger(source: string): number | bigint | typeof NOT_RESOLVED {
  const plain = source.replaceAll('_', '');
  if (!integer.test(plain)) return NOT_RESOLVED;
  const negative = plain.startsWith('-');
  const unsigned = plain.replace(/^[-+]/, '').replace(/^0(?=[0-7])/, '0o');
  const value = negative ? -BigInt(unsigned) : BigInt(unsigned);
  if (value < limits.min || value > limits.max) return NOT_RESOLVED;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const intTag = defineScalarTag<number | bigint>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: digits,
  resolve: readInteger,
  identify: (data) => typeof data === 'bigint' || (typeof data === 'number' && Number.isInteger(data)),
});

const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

const notANumber = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

const floatTagWith = (special: (source: string) => number) =>
  defineScalarTag<number>('tag:yaml.org,2002:float', {
    implicit: true,
    implicitFirstChars: digits,
    resolve: (source) => {
      if (notANumber.test(source)) return special(source);
      const plain = source.replaceAll('_', '');
      // What is too large for a double is a text.
      return float.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : NOT_RESOLVED;
    },
    identify: (data) => typeof data === 'number' && !Number.isInteger(data),
  });

const floatTag = floatTagWith((source) => {
  throw new CodedError('api/invalid-yaml', `${source} has no form in JSON; write it in quotes if it is a text`);
});

const binaryTag = defineScalarTag<string>('tag:yaml.org,2002:binary', {
  resolve: (source) => Buffer.from(source, 'base64').toString('utf8'),
  identify: () => false,
});

/** A time is a text, said or not. */
const timestampTag = defineScalarTag<string>('tag:yaml.org,2002:timestamp', {
  resolve: (source) => source,
  identify: () => false,
});

const schema = FAILSAFE_SCHEMA.withTags(nullCoreTag, boolTag, intTag, floatTag, mergeTag, binaryTag, timestampTag);

/** Bounds against documents made to be slow (deep nesting, alias bombs). */
const maxDepth = 200;
const maxAliases = 1000;

/**
 * The documents of a YAML stream in order, without the empty ones. JSON is YAML, so this reads both.
 * @param file names the text in errors
 * @throws CodedError api/invalid-yaml with file and line
 */
export function parseYamlDocuments(text: string, file = 'input'): unknown[] {
  try {
    // `json`: of two equal keys the last wins, as the Go library has it.
    const documents = loadAll(text, { schema, maxDepth, maxAliases, json: true });
    return documents.filter((document) => document !== null && document !== undefined);
  } catch (error) {
    if (error instanceof YAMLException) {
      const line = (error as { mark?: { line?: number } }).mark?.line;
      throw new CodedError('api/invalid-yaml', `${file}${line === undefined ? '' : `:${line + 1}`}: ${error.reason}`, {
        cause: error,
      });
    }
    throw new CodedError('api/invalid-yaml', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * The single document of a YAML text; null when it is empty.
 * @throws CodedError api/invalid-yaml, also for more than one document
 */
export function parseYaml(text: string, file = 'input'): unknown {
  const documents = parseYamlDocuments(text, file);
  if (documents.length > 1)
    throw new CodedError('api/invalid-yaml', `${file}: ${documents.length} documents where one is expected`);
  return documents[0] ?? null;
}

// Never read: a time is a string here. When writing it makes such strings quoted, since other readers of YAML see times in them.
const timeLikeTag = defineScalarTag<never>('tag:yaml.org,2002:timestamp', {
  implicit: true,
  implicitFirstChars: Array.from('0123456789'),
  resolve: (source) => (/^\d{4}-\d\d?-\d\d?(?:[Tt ].*)?$/.test(source) ? (source as never) : NOT_RESOLVED),
  identify: () => false,
});

const writeSchema = schema.withTags(
  timeLikeTag,
  floatTagWith(() => Number.NaN),
);

/** Writes YAML as kubectl prints it: block style, keys sorted, no aliases. */
export const stringifyYaml = (value: unknown): string =>
  dump(value, { schema: writeSchema, sortKeys: true, noRefs: true, lineWidth: -1 });
