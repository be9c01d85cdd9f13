import {
  at,
  canonicalJson,
  CodedError,
  type ErrorCode,
  isCoded,
  isRecord,
  listAt,
  messageOf,
  parseYaml,
  stringAt,
} from '@tiphys/api';
import { sha256 } from '../digest.ts';
import { seesApiVersions } from '../helm/sees-api-versions.ts';
import type { RenderWarning } from '../types.ts';
import { maxDepth, requireBounded } from './bounded.ts';
import { readManifestFile, readOutput, requireUndamaged } from './read-manifests.ts';
import type { NamedText } from './read-text.ts';
import type { Question } from './protocol.ts';
import { readArchive } from './read-archive.ts';

/** What a worker found: values as JSON texts, or what is wrong. */
export type Found =
  | { kind: 'values'; texts: readonly string[]; digest: string; warnings: readonly RenderWarning[] }
  | { kind: 'error'; code: ErrorCode; message: string };

type Values = Readonly<{ values: readonly unknown[]; warnings: readonly RenderWarning[] }>;

const alone = (value: unknown): Values => ({ values: [value], warnings: [] });

function readFolder(files: Iterable<NamedText>, maxCharacters: number): Values {
  const values: unknown[] = [];
  const warnings: RenderWarning[] = [];
  for (const file of files) {
    const read = readManifestFile(file, maxCharacters);
    if (read.kind === 'objects') for (const object of read.objects) values.push(object);
    else warnings.push({ kind: 'ignored-file', message: `${file.name} was left out: ${read.why}` });
  }
  return { values, warnings };
}

function readDocument(file: NamedText, maxCharacters: number): unknown {
  const { name, text } = file;
  requireUndamaged(file);
  const value = parseYaml(text, name);
  requireBounded(value, name, { depth: maxDepth, characters: maxCharacters });
  return value;
}

/** The versions of each chart in an index of a chart repository. */
function chartVersions({ name, text }: NamedText): unknown {
  const entries = at(parseYaml(text, name), 'entries');
  if (!isRecord(entries)) return {};
  return Object.fromEntries(
    Object.keys(entries).map((chart) => [
      chart,
      listAt(entries, chart).flatMap((entry) => stringAt(entry, 'version') ?? []),
    ]),
  );
}

/** Takes the questions one by one: which kind needs its texts how. */
function read({ kind, maxAnswerBytes }: Question, files: Iterable<NamedText>): Values {
  if (kind === 'folder') return readFolder(files, maxAnswerBytes);
  if (kind === 'templates') return alone([...files].some(({ text }) => seesApiVersions(text)));
  const [file = { name: 'input', text: '' }] = files;
  if (kind === 'document') return alone(readDocument(file, maxAnswerBytes));
  if (kind === 'chart-versions') return alone(chartVersions(file));
  return { values: readOutput(file, maxAnswerBytes), warnings: [] };
}

function write({ values, warnings }: Values, { maxAnswerBytes, maxObjectBytes, kind }: Question): Found {
  const texts: string[] = [];
  let bytes = 0;
  for (const value of values) {
    const text = canonicalJson(value);
    const size = Buffer.byteLength(text, 'utf8');
    bytes += size + 1;
    if (size > maxObjectBytes && kind !== 'chart-versions') {
      const what = `${stringAt(value, 'kind') ?? 'value'} ${stringAt(value, 'metadata', 'name') ?? ''}`.trim();
      const message = `the ${what} is larger than ${maxObjectBytes} bytes`;
      throw new CodedError('render/output-too-large', message);
    }
    if (bytes > maxAnswerBytes) {
      const message = `what was read is larger than ${maxAnswerBytes} bytes`;
      throw new CodedError('render/output-too-large', message);
    }
    texts.push(text);
  }
  return { kind: 'values', texts, digest: sha256(...texts), warnings };
}

/** The texts of a question, and all of it as it came. */
export type Asked = Readonly<{ files: Iterable<NamedText>; body: Buffer }>;

/** Answers a question about untrusted texts. Whatever they are, nothing is thrown. */
export function answer(question: Question, { files, body }: Asked): Found {
  try {
    const { kind, wanted } = question;
    return write(kind === 'archive' ? alone(readArchive(body, wanted)) : read(question, files), question);
  } catch (error) {
    // Beside what has a code: a stack or a string that such a text made too large.
    return { kind: 'error', code: isCoded(error) ? error.code : 'render/too-costly', message: messageOf(error) };
  }
}
