import { CodedError, type ErrorCode, errorCatalogue, isRecord, parseJson } from '@tiphys/api';
import type { RenderWarning } from '../types.ts';

const questionKinds = ['folder', 'output', 'document', 'chart-versions', 'templates', 'archive'] as const;

/** What a worker is asked. The bytes of the texts follow in the order of `files`. */
export type Question = Readonly<{
  /**
   * `folder`: manifests of plain files. `output`: what a render tool printed (one text, named after the tool).
   * `document`: one YAML document. `chart-versions`: the versions of every chart in an index of a chart repository.
   * `templates`: whether one of several templates sees the cluster's API versions.
   * `archive`: the names of the files in an archive of a chart, and the texts of those that are wanted.
   */
  kind: (typeof questionKinds)[number];
  /** Paths in an archive. */
  wanted: readonly string[];
  files: readonly Readonly<{ path: string; bytes: number }>[];
  /** What the answer may be, and one object of it (bytes). */
  maxAnswerBytes: number;
  maxObjectBytes: number;
}>;

/** The first line of what a worker says. The body of `value` is one JSON text per line. */
export type Answer =
  /** Once, when it is ready. */
  | { kind: 'ready' }
  /** It now reads this large file, or small ones: whom to blame when nothing more is heard. */
  | { kind: 'at'; file?: number }
  /** What it has used since its start, and what it holds, are for the decision to go on with it. */
  | { kind: 'values'; digest: string; warnings: readonly RenderWarning[]; cpuMs: number; rssBytes: number }
  | { kind: 'error'; code: ErrorCode; message: string };

const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorCatalogue, code);

const isWarning = (value: unknown): value is RenderWarning =>
  isRecord(value) && value['kind'] === 'ignored-file' && typeof value['message'] === 'string';

/** Reads the head of an answer. @throws CodedError api/invalid-json when it is none */
export function parseAnswer(head: string): Answer {
  const value = parseJson(head, 'answer');
  if (isRecord(value)) {
    const { kind, file, digest, warnings, cpuMs, rssBytes, code, message } = value;
    if (kind === 'ready') return { kind };
    if (kind === 'at') return typeof file === 'number' ? { kind, file } : { kind };
    if (kind === 'error' && isErrorCode(code) && typeof message === 'string') return { kind, code, message };
    if (
      kind === 'values' &&
      typeof digest === 'string' &&
      Array.isArray(warnings) &&
      warnings.every(isWarning) &&
      typeof cpuMs === 'number' &&
      typeof rssBytes === 'number'
    )
      return { kind, digest, warnings, cpuMs, rssBytes };
  }
  throw new CodedError('api/invalid-json', 'the answer of a decode worker cannot be read');
}

const isFile = (value: unknown): value is Question['files'][number] =>
  isRecord(value) && typeof value['path'] === 'string' && typeof value['bytes'] === 'number';

/** Reads the head of a question. @throws CodedError api/invalid-json when it is none */
export function parseQuestion(head: string): Question {
  const value = parseJson(head, 'question');
  const { kind: written, files, wanted, maxAnswerBytes, maxObjectBytes } = isRecord(value) ? value : {};
  const kind = questionKinds.find((known) => known === written);
  if (
    kind === undefined ||
    !Array.isArray(files) ||
    !files.every(isFile) ||
    !Array.isArray(wanted) ||
    !wanted.every((path) => typeof path === 'string') ||
    typeof maxAnswerBytes !== 'number' ||
    typeof maxObjectBytes !== 'number'
  )
    throw new CodedError('api/invalid-json', 'the question to a decode worker cannot be read');
  return { kind, files, wanted, maxAnswerBytes, maxObjectBytes };
}
