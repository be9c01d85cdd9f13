import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { WireResponse } from './lane.ts';

/** Bytes of a piece of an unpacked answer. */
const pieceBytes = 64 * 1024;

/** What an answer may be packed with: API servers do so from 128 KiB on (`APIResponseCompression`), and a list shrinks to a tenth. */
export const acceptedEncoding = { 'accept-encoding': 'gzip' } as const;

/** An answer as it was before it was packed for the way. Its body fails when what came is no gzip, or too short. */
export function unpacked(response: WireResponse): WireResponse {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  // Errors of either reach whoever reads, and a reader that leaves ends both.
  const body = pipeline(response.body, createGunzip({ chunkSize: pieceBytes }), () => undefined);
  return { ...response, body };
}
