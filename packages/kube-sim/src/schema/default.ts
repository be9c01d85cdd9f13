import { copyJson } from './copy-json.ts';
import { isRecord, type KubeObject } from '@tiphys/api';
import { expand } from './built-in.ts';
import { defaultCustom } from './custom-default.ts';
import { encode } from './decode.ts';
import { defaultRules } from './default-rules.ts';
import type { ResourceType, TypeSchema } from './types.ts';

/**
 * The object with every default that the API server fills in, and for built-in kinds with the zero values that it
 * writes although nobody set them (`status: {}`); the given object is left as it is. Call it after pruneUnknown.
 */
export function applyDefaults(object: KubeObject, type: ResourceType): KubeObject {
  if (type.custom !== undefined) return defaultCustom(object, type);
  if (type.schema === undefined) return object;
  const draft: unknown = copyJson(object);
  complete(draft, type.schema);
  // Completing and encoding an object gives an object with the same identity.
  return encode(draft, type.schema) as KubeObject;
}

/** Parents come first: some fill in what the rules of their parts then complete. */
function complete(value: unknown, node: TypeSchema): void {
  const schema = expand(node);
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items !== undefined && hasParts(items)) for (const item of value) complete(item, items);
    return;
  }
  if (!isRecord(value)) return;
  if (node.ref !== undefined) defaultRules[node.ref]?.(value);
  const { properties, additionalProperties } = schema;
  if (properties !== undefined) completeProperties(value, properties);
  else if (additionalProperties !== undefined && hasParts(additionalProperties))
    for (const child of Object.values(value)) complete(child, additionalProperties);
}

const hasParts = (node: TypeSchema): boolean =>
  node.ref !== undefined ||
  node.properties !== undefined ||
  node.items !== undefined ||
  node.additionalProperties !== undefined;

function completeProperties(value: Record<string, unknown>, properties: Readonly<Record<string, TypeSchema>>): void {
  for (const [key, property] of Object.entries(properties)) {
    if (property.default !== undefined) value[key] ??= property.default;
    // A struct that nobody wrote still gets the defaults of its fields.
    if (property.zero === 'write' && property.ref !== undefined && expand(property).properties !== undefined)
      value[key] ??= {};
    if (value[key] !== undefined && hasParts(property)) complete(value[key], property);
  }
}
