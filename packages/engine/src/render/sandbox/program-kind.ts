import { open } from 'node:fs/promises';

/** What a program needs to start: nothing (`static`), libraries (`linked`), or who knows what (`script`). */
export type ProgramKind = 'static' | 'linked' | 'script';

const headBytes = 4096;
const magic = Buffer.from('\u007fELF', 'latin1');
/** The entry of an ELF file's program headers that names what loads the libraries. */
const interpreterType = 3;

/** Reads the first bytes of a program. @throws what the file system says of it */
export async function programKind(path: string): Promise<ProgramKind> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return kindOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

function kindOf(head: Buffer): ProgramKind {
  if (!head.subarray(0, 4).equals(magic) || head.length < 64) return 'script';
  const isWide = head[4] === 2;
  const isLittle = head[5] === 1;
  const short = (at: number): number => (isLittle ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const word = (at: number): number => (isLittle ? head.readUInt32LE(at) : head.readUInt32BE(at));
  const wide = (at: number): bigint => (isLittle ? head.readBigUInt64LE(at) : head.readBigUInt64BE(at));
  const from = isWide ? Number(wide(32)) : word(28);
  const size = short(isWide ? 54 : 42);
  const count = short(isWide ? 56 : 44);
  // A file that was rearranged has them elsewhere: to see libraries that it does not need does no harm.
  if (from + size * count > head.length) return 'linked';
  const types = Array.from({ length: count }, (_, index) => word(from + index * size));
  return types.includes(interpreterType) ? 'linked' : 'static';
}
