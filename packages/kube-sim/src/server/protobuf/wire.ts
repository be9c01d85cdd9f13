/** One field of a protobuf message as it stands on the wire: varints as numbers, everything with a length as bytes. */
export type WireField = Readonly<{ number: number; value: bigint | Uint8Array }>;

/** Reads the fields of one message. Wrong input ends in a RangeError, never in reading past the end. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The fields in the order in which they stand. */
  *fields(): Generator<WireField> {
    while (this.#at < this.#bytes.length) {
      const tag = Number(this.#varint());
      yield { number: tag >>> 3, value: this.#value(tag & 7) };
    }
  }

  #value(wireType: number): bigint | Uint8Array {
    switch (wireType) {
      case 0:
        return this.#varint();
      case 1:
        return this.#take(8);
      case 2:
        return this.#take(Number(this.#varint()));
      case 5:
        return this.#take(4);
      default:
        throw new RangeError(`protobuf: wire type ${wireType} is not used by Kubernetes`);
    }
  }

  #varint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      result |= BigInt(byte & 127) << shift;
      if ((byte & 128) === 0) return BigInt.asIntN(64, result);
    }
    throw new RangeError('protobuf: a number is cut off');
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new RangeError('protobuf: a field is cut off');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}
