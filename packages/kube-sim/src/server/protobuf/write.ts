/** Writes one protobuf message; fields that are undefined, empty or false are left out, as proto3 has it. */
export class WireWriter {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  text(number: number, value: string | undefined): this {
    if (value !== undefined && value !== '') this.#bytes(number, Buffer.from(value, 'utf8'));
    return this;
  }

  bool(number: number, value: unknown): this {
    if (value === true) this.#push(this.#tag(number, 0), [1]);
    return this;
  }

  int(number: number, value: number | undefined): this {
    if (value !== undefined && value !== 0) this.#push(this.#tag(number, 0), varint(value));
    return this;
  }

  double(number: number, value: number | undefined): this {
    if (value === undefined || value === 0) return this;
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#push(this.#tag(number, 1), bytes);
    return this;
  }

  message(number: number, message: WireWriter | undefined): this {
    if (message !== undefined) this.#bytes(number, message.finish());
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks, this.#length);
  }

  #tag(number: number, wireType: number): readonly number[] {
    return varint(number * 8 + wireType);
  }

  #bytes(number: number, bytes: Uint8Array): void {
    this.#push(this.#tag(number, 2), varint(bytes.length), bytes);
  }

  #push(...parts: readonly (Uint8Array | readonly number[])[]): void {
    for (const part of parts) {
      const bytes = part instanceof Uint8Array ? part : Uint8Array.from(part);
      this.#chunks.push(bytes);
      this.#length += bytes.length;
    }
  }
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return [...bytes, left];
}
