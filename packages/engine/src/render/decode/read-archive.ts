import { gunzipSync } from 'node:zlib';
import { CodedError } from '@tiphys/api';

/** What is in an archive of a chart, below its one folder: names of its plain files, and the text of those that are wanted. */
export type ArchiveFiles = Readonly<{ names: readonly string[]; texts: Readonly<Record<string, string>> }>;

const block = 512;
const maxUnpackedBytes = 512 * 1024 * 1024;
const maxFiles = 20_000;

const textAt = (bytes: Buffer, from: number, length: number): string => {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
};

/** The `path` of a PAX header: records of `LENGTH KEY=VALUE\n`. */
function paxPath(records: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(records)?.[1];
}

type Entry = Readonly<{ name: string; type: string; content: Buffer }>;

/** The entries of a tar stream; names longer than its header come in an entry of their own (PAX or GNU). */
function* entriesOf(tar: Buffer): Generator<Entry> {
  let longName: string | undefined;
  for (let at = 0; at + block <= tar.length;) {
    const header = tar.subarray(at, at + block);
    const size = Number.parseInt(textAt(header, 124, 12).trim() || '0', 8);
    const type = String.fromCharCode(header[156] ?? 0);
    if (!Number.isSafeInteger(size) || size < 0) return;
    const content = tar.subarray(at + block, at + block + size);
    at += block + Math.ceil(size / block) * block;
    if (type === 'x') longName = paxPath(content.toString('utf8')) ?? longName;
    else if (type === 'L') longName = textAt(content, 0, content.length);
    else if (type !== 'g') {
      const prefix = textAt(header, 257, 5) === 'ustar' ? textAt(header, 345, 155) : '';
      const short = textAt(header, 0, 100);
      yield { name: longName ?? (prefix === '' ? short : `${prefix}/${short}`), type, content };
      longName = undefined;
    }
  }
}

/**
 * Reads plain files of a chart archive; links and everything else in it are passed over.
 * @throws CodedError render/failed for what is no archive, render/too-costly for one that unpacks to too much
 */
export function readArchive(archive: Buffer, wanted: readonly string[]): ArchiveFiles {
  let tar: Buffer;
  try {
    tar = gunzipSync(archive, { maxOutputLength: maxUnpackedBytes });
  } catch (error) {
    if (error instanceof RangeError) throw new CodedError('render/too-costly', 'the archive unpacks to too much');
    throw new CodedError('render/failed', 'the chart archive could not be unpacked', { cause: error });
  }
  const names: string[] = [];
  const texts = new Map<string, string>();
  for (const { name, type, content } of entriesOf(tar)) {
    const path = name.replace(/^(?:\.\/)*[^/]+\//, '');
    if ((type !== '0' && type !== '\0') || path === '' || path.split('/').includes('..')) continue;
    names.push(path);
    if (names.length > maxFiles)
      throw new CodedError('render/too-costly', `the archive holds more than ${maxFiles} files`);
    if (wanted.includes(path)) texts.set(path, content.toString('utf8'));
  }
  return { names, texts: Object.fromEntries(texts) };
}
