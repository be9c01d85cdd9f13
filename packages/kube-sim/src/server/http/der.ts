/** The few pieces of ASN.1 DER that an X.509 certificate is made of. Each function returns one encoded element. */

function lengthBytes(length: number): Buffer {
  if (length < 128) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 255);
  return Buffer.from([128 | bytes.length, ...bytes]);
}

const element = (tag: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([tag]), lengthBytes(content.length), content]);

export const sequence = (...parts: readonly Buffer[]): Buffer => element(0x30, Buffer.concat(parts));

export const set = (...parts: readonly Buffer[]): Buffer => element(0x31, Buffer.concat(parts));

export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 255 : 0]));

/** A positive integer from big-endian bytes. */
export function integer(bytes: Buffer): Buffer {
  const negative = ((bytes[0] ?? 0) & 128) !== 0;
  return element(0x02, negative ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export const bitString = (bytes: Buffer, unusedBits = 0): Buffer =>
  element(0x03, Buffer.concat([Buffer.from([unusedBits]), bytes]));

export const octetString = (bytes: Buffer): Buffer => element(0x04, bytes);

export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text, 'utf8'));

/** GeneralizedTime to the second, in UTC. */
export const generalizedTime = (time: Date): Buffer =>
  element(0x18, Buffer.from(`${time.toISOString().replaceAll(/[-:T]|\.\d+Z$/g, '')}Z`, 'ascii'));

/** UTCTime, which certificates must use before 2050. */
export const utcTime = (time: Date): Buffer =>
  element(
    0x17,
    Buffer.from(
      `${time
        .toISOString()
        .replaceAll(/[-:T]|\.\d+Z$/g, '')
        .slice(2)}Z`,
      'ascii',
    ),
  );

/** `[number]` around elements (constructed) or around plain bytes (primitive). */
export const tagged = (number: number, content: Buffer, form: 'constructed' | 'primitive' = 'constructed'): Buffer =>
  element((form === 'constructed' ? 0xa0 : 0x80) | number, content);

/** An object identifier in dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest.flatMap(base128)];
  return element(0x06, Buffer.from(bytes));
}

function base128(value: number): number[] {
  const groups = [value & 127];
  for (let rest = value >> 7; rest > 0; rest >>= 7) groups.unshift(128 | (rest & 127));
  return groups;
}
