import { cornerOf, type ClientWorld } from './client/corner.ts';
import { deletionTests } from './client/deletion.suite.ts';
import { partsTests } from './client/parts.suite.ts';
import { readingTests } from './client/reading.suite.ts';
import { writingTests } from './client/writing.suite.ts';

/** The API semantics that the product relies on, through its client. */
export function clientSuite(world: ClientWorld): void {
  const corner = cornerOf(world);
  readingTests(corner);
  writingTests(corner);
  deletionTests(corner);
  partsTests(corner);
}
