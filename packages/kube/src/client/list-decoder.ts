import { CodedError } from '@tiphys/api';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;

/** The only name at the top level that matters is `items`; longer strings there need not be kept. */
const maxKeyBytes = 16;

/** Up to here a plain loop beats the call into the native search. */
const shortScan = 24;

/** An item's opening is looked for in so many bytes. */
const maxOpeningBytes = 256;
/** What waits for the next chunk without being looked at byte by byte. */
const maxPendingBytes = 256 * 1024;
/** Places where an item might have ended and had not; after so many it is read byte by byte. */
const maxMisses = 2;

/** How every item of a list begins: with its type where it has one, and the name of the field behind it. */
const itemOpening = /^\{(?:"(?:apiVersion|kind)":"[^"\\]*",)*"[A-Za-z]+":/;

/** Backslashes directly before an index, not looking further back than `from`. */
function backslashesBefore(chunk: Buffer, end: number, from: number): number {
  let at = end;
  while (at > from && chunk[at - 1] === backslash) at -= 1;
  return end - at;
}

/**
 * Splits the JSON of a Kubernetes list into the texts of its items, each handed over as soon as it is known to be whole, so
 * that neither the text nor the objects of a whole list are ever in memory.
 *
 * Items of one list begin alike, so the next item's opening behind a comma is searched for natively. It may also stand inside an
 * item; but then the text up to it does not parse, since an item is only whole when its brackets are balanced. Where that search
 * does not help, brackets and strings are looked at byte by byte; the items' own syntax is their parser's business.
 */
export class ListDecoder {
  readonly #take: (text: string) => boolean;
  /** Pieces of the list around its items. */
  readonly #shell: Buffer[] = [];
  /** Earlier pieces of the item that is being read. */
  #parts: Buffer[] = [];
  #depth = 0;
  #inString = false;
  /** The chunk ended right behind a backslash. */
  #escaped = false;
  #inItems = false;
  #ended = false;
  /** The last string at the top level, and the one before the last colon there. */
  #topString = '';
  #topKey = '';

  /** The opening of an item behind a comma, once one has been seen. */
  #mark: Buffer | undefined;
  /** An item's beginning whose end is not in sight, and up to where it has been searched. */
  #pending: Readonly<{ bytes: Buffer; searched: number }> | undefined;

  /** `take` parses an item and answers whether its text was whole JSON. */
  constructor(take: (text: string) => boolean) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) this.#scan(chunk, 0);
    else this.#scan(Buffer.concat([pending.bytes, chunk]), pending.searched);
  }

  /** Looks at a chunk byte by byte, but for the items that can be leapt over. `searched`: how far that was tried already. */
  #scan(chunk: Buffer, searched: number): void {
    let itemStart = this.#inItems && this.#depth > 2 ? 0 : -1;
    let shellStart = this.#inItems ? -1 : 0;
    for (let i = 0; i < chunk.length;) {
      if (this.#inString) {
        i = this.#string(chunk, i);
        continue;
      }
      const byte = chunk[i];
      i += 1;
      if (byte === quote) {
        this.#inString = true;
        if (this.#depth === 1) this.#topString = '';
      } else if (byte === openBrace || byte === openBracket) {
        this.#depth += 1;
        if (this.#inItems && this.#depth === 3) {
          const next = searched < 0 ? undefined : this.#leap(chunk, i - 1, searched);
          if (next === chunk.length) {
            this.#depth = 2;
            return;
          }
          if (next === undefined) itemStart = i - 1;
          else {
            this.#depth = 2;
            i = next;
          }
        } else if (this.#depth === 2 && byte === openBracket && this.#topKey === 'items') {
          this.#inItems = true;
          this.#shell.push(chunk.subarray(shellStart, i));
          shellStart = -1;
        }
      } else if (byte === closeBrace || byte === closeBracket) {
        this.#depth -= 1;
        if (this.#inItems && this.#depth === 2) {
          this.#item(chunk.subarray(itemStart, i));
          itemStart = -1;
        } else if (this.#inItems && this.#depth === 1) {
          this.#inItems = false;
          shellStart = i - 1;
        } else if (this.#depth === 0) this.#ended = true;
      } else if (byte === colon && this.#depth === 1) this.#topKey = this.#topString;
    }
    if (itemStart >= 0) this.#parts.push(chunk.subarray(itemStart));
    if (shellStart >= 0) this.#shell.push(chunk.subarray(shellStart));
  }

  /** The list without its items. @throws Error when the text ended too early */
  end(): string {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) this.#scan(pending.bytes, -1);
    if (!this.#ended) throw new Error('the list ended before its last bracket');
    return Buffer.concat(this.#shell).toString();
  }

  /**
   * Hands over the item that starts at an index without looking at its bytes. Answers with the index behind it, with the chunk's
   * length when its end is not in sight and it is kept for the next one, and with undefined when it has to be looked at.
   */
  #leap(chunk: Buffer, start: number, searched: number): number | undefined {
    this.#mark ??= openingOf(chunk, start);
    const mark = this.#mark;
    if (mark === undefined) return undefined;
    let from = Math.max(start + 1, searched);
    for (let misses = 0; misses < maxMisses; misses += 1) {
      const end = chunk.indexOf(mark, from);
      if (end < 0) {
        if (chunk.length - start > maxPendingBytes) return undefined;
        const bytes = chunk.subarray(start);
        this.#pending = { bytes, searched: Math.max(0, bytes.length - mark.length) };
        return chunk.length;
      }
      if (chunk[end - 1] === closeBrace && this.#take(chunk.toString('utf8', start, end))) return end;
      from = end + 1;
    }
    return undefined;
  }

  #item(last: Buffer): void {
    const text = this.#parts.length === 0 ? last.toString() : Buffer.concat([...this.#parts, last]).toString();
    this.#parts = [];
    if (!this.#take(text)) throw new CodedError('api/invalid-json', 'the list holds an item that is no JSON');
  }

  /** Reads on in a string; answers with the index behind its closing quote, or the chunk's length when it goes on. */
  #string(chunk: Buffer, from: number): number {
    const end = this.#closingQuote(chunk, from);
    this.#inString = end < 0;
    if (this.#depth === 1 && this.#topString.length <= maxKeyBytes) {
      const stop = end < 0 ? chunk.length : end;
      this.#topString += chunk.toString('latin1', from, Math.min(stop, from + maxKeyBytes + 1));
    }
    return end < 0 ? chunk.length : end + 1;
  }

  /** Index of the quote that closes the string, or -1 when it is in a later chunk. */
  #closingQuote(chunk: Buffer, from: number): number {
    let start = from;
    if (this.#escaped) {
      this.#escaped = false;
      start += 1;
    }
    let i = start;
    const near = Math.min(chunk.length, i + shortScan);
    for (; i < near; i += 1) {
      if (chunk[i] === backslash) i += 1;
      else if (chunk[i] === quote) return i;
    }
    // Here i is at the start of a character, or one behind the chunk's end when that was a backslash.
    if (i > chunk.length) {
      this.#escaped = true;
      return -1;
    }
    for (let scan = i; ;) {
      const found = chunk.indexOf(quote, scan);
      const odd = backslashesBefore(chunk, found < 0 ? chunk.length : found, i) % 2 === 1;
      if (found >= 0 && !odd) return found;
      if (found < 0) {
        this.#escaped = odd;
        return -1;
      }
      scan = found + 1;
    }
  }
}

function openingOf(chunk: Buffer, start: number): Buffer | undefined {
  const [opening] = itemOpening.exec(chunk.toString('latin1', start, start + maxOpeningBytes)) ?? [];
  return opening === undefined ? undefined : Buffer.from(`,${opening}`, 'latin1');
}
