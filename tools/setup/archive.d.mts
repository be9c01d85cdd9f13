export function readTarEntry(archive: Buffer, name: string): Buffer;
export function readZipEntry(zip: Buffer, name: string): Buffer;
