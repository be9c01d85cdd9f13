/**
 * How program and worker talk over a pipe: four bytes of length (big-endian), then a line of JSON (the head), then the body as it
 * is. The same both ways.
 */
export type Frame = Readonly<{ head: string; body: Buffer }>;

const lengthBytes = 4;

/** The pieces of a frame, to be written one after another: what is large is not copied. */
export function frameOf(head: string, body: readonly Buffer[] = []): readonly Buffer[] {
  const first = Buffer.from(`\0\0\0\0${head}\n`, 'utf8');
  const size = body.reduce((sum, part) => sum + part.length, first.length - lengthBytes);
  first.writeUInt32BE(size, 0);
  return [first, ...body];
}

/** Puts frames together from what a pipe brings. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #wanted: number | undefined;
  readonly #maxBytes: number;

  /** @param maxBytes of one frame */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The frames that are complete with this chunk. @throws Error for a frame over the limit, or one that has no head */
  push(chunk: Buffer): readonly Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Frame[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) frames.push(next);
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#wanted === undefined) {
      if (this.#size < lengthBytes) return undefined;
      this.#wanted = this.#take(lengthBytes).readUInt32BE(0);
      if (this.#wanted > this.#maxBytes)
        throw new Error(`a frame of ${this.#wanted} bytes where ${this.#maxBytes} are allowed`);
    }
    if (this.#size < this.#wanted) return undefined;
    const content = this.#take(this.#wanted);
    this.#wanted = undefined;
    const end = content.indexOf(10);
    if (end < 0) throw new Error('a frame without a head');
    return { head: content.toString('utf8', 0, end), body: content.subarray(end + 1) };
  }

  #take(bytes: number): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    const joined = all ?? Buffer.concat(this.#chunks);
    const rest = joined.subarray(bytes);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
    return joined.subarray(0, bytes);
  }
}
