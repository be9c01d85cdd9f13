import { isUtf8 } from 'node:buffer';

/** A text and how it is called in errors. `damagedAt` is the first line that is no UTF-8: what stands for it is not what was meant. */
export type NamedText = Readonly<{ name: string; text: string; damagedAt?: number }>;

const startsWith = (bytes: Buffer, ...mark: number[]): boolean => mark.every((byte, index) => bytes[index] === byte);

/** A line feed is never part of a longer character, so each line can be looked at alone. */
function firstDamagedLine(bytes: Buffer): number {
  const lineFeed = 0x0a;
  for (let from = 0, line = 1; ; line += 1) {
    const end = bytes.indexOf(lineFeed, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return line;
    from = end + 1;
  }
}

/** Reads bytes as UTF-8, or as what a byte order mark says: editors of Windows write UTF-16 and marks. The mark goes. */
export function readText(name: string, bytes: Buffer): NamedText {
  if (startsWith(bytes, 0xff, 0xfe)) return { name, text: new TextDecoder('utf-16le').decode(bytes) };
  if (startsWith(bytes, 0xfe, 0xff)) return { name, text: new TextDecoder('utf-16be').decode(bytes) };
  const text = new TextDecoder().decode(bytes);
  return isUtf8(bytes) ? { name, text } : { name, text, damagedAt: firstDamagedLine(bytes) };
}
