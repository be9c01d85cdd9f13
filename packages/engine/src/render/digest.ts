import { createHash } from 'node:crypto';

/** SHA-256 over texts, each with its end marked, as hex. */
export const sha256 = (...parts: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
};
