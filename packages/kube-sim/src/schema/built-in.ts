import { parseJson } from '@tiphys/api';
import { kubernetesTables } from './generated/kubernetes-1.35.ts';
import type { ResourceType, TypeSchema } from './types.ts';

type Row = Omit<ResourceType, 'schema'> & { schema?: string };

// The text is ours, written by tools/generate/kubernetes-schemas.ts in this very shape.
const tables = parseJson(kubernetesTables, 'Kubernetes tables') as {
  readonly resources: readonly Row[];
  readonly schemas: Readonly<Record<string, TypeSchema>>;
};

const anything: TypeSchema = { preserveUnknown: true };

/** Every resource that Kubernetes 1.35 serves, one row per group, version and resource. */
export const builtInResources: readonly ResourceType[] = tables.resources.map(({ schema, ...row }) => ({
  ...row,
  schema: schema === undefined ? undefined : { ref: schema },
}));

/** The names of all built-in schemas, `core.v1.Pod`: for publishing them. */
export const builtInSchemaNames: readonly string[] = Object.keys(tables.schemas);

/** The built-in schema of a name. Never undefined: an unknown name accepts everything. */
export const resolveSchema = (ref: string): TypeSchema => tables.schemas[ref] ?? anything;

/** The schema behind a node: its reference followed, what the node adds kept. */
export function expand(schema: TypeSchema): TypeSchema {
  if (schema.ref === undefined) return schema;
  const target = resolveSchema(schema.ref);
  // Most uses of a reference add at most how a zero value is written, which is the parent's business.
  if (schema.mapType === undefined && schema.listType === undefined && schema.patchStrategy === undefined)
    return target;
  return { ...target, ...schema };
}
