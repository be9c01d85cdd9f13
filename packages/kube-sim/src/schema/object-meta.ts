import type { TypeSchema } from './types.ts';

/** An object of which only the metadata is described. */
export const objectMetaSchema: TypeSchema = {
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { ref: 'meta.v1.ObjectMeta', zero: 'write' },
  },
};
