import { gunzipSync, inflateRawSync } from 'node:zlib';

/** No archive that we pin unpacks to more than this, so nothing else may. */
const largestEntryBytes = 256 * 1024 * 1024;

const tarBlock = 512;

/**
 * One file out of a gzipped tar archive.
 * @param {Buffer} archive
 * @param {string} name full path inside the archive
 * @returns {Buffer}
 */
export function readTarEntry(archive, name) {
  const tar = gunzipSync(archive, { maxOutputLength: largestEntryBytes });
  for (let at = 0; at + tarBlock <= tar.length;) {
    const header = tar.subarray(at, at + tarBlock);
    if (header[0] === 0) break;
    const path = textUpToNul(header.subarray(345, 500));
    const entry = (path === '' ? '' : `${path}/`) + textUpToNul(header.subarray(0, 100));
    const size = parseInt(textUpToNul(header.subarray(124, 136)).trim(), 8);
    if (!Number.isSafeInteger(size) || size < 0) throw new Error('the archive is damaged');
    const start = at + tarBlock;
    if (entry === name) return tar.subarray(start, start + size);
    at = start + Math.ceil(size / tarBlock) * tarBlock;
  }
  throw new Error(`the archive has no ${name}`);
}

/**
 * One file out of a zip archive (stored or deflated, below 4 GB: no zip64).
 * The central directory at the end is read, since local headers may leave sizes out.
 * @param {Buffer} zip
 * @param {string} name full path inside the archive
 * @returns {Buffer}
 */
export function readZipEntry(zip, name) {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0) throw new Error('the zip archive is damaged: no end record');
  const entries = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < entries; i += 1) {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error('the zip archive is damaged: no directory entry');
    const lengths = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const entry = zip.toString('utf8', at + 46, at + 46 + lengths[0]);
    if (entry === name) return unpackZipEntry(zip, at);
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  throw new Error(`the zip archive has no ${name}`);
}

function unpackZipEntry(zip, directoryEntry) {
  const method = zip.readUInt16LE(directoryEntry + 10);
  const packedSize = zip.readUInt32LE(directoryEntry + 20);
  const size = zip.readUInt32LE(directoryEntry + 24);
  const local = zip.readUInt32LE(directoryEntry + 42);
  if (size > largestEntryBytes) throw new Error(`the zip entry is larger than ${largestEntryBytes} bytes`);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + packedSize);
  if (method === 0) return packed;
  if (method !== 8) throw new Error(`the zip entry uses compression method ${method}, which is not read here`);
  return inflateRawSync(packed, { maxOutputLength: size });
}

const textUpToNul = (bytes) => {
  const nul = bytes.indexOf(0);
  return bytes.toString('utf8', 0, nul < 0 ? bytes.length : nul);
};
