/** Reads from Go sources how a struct's fields are written as JSON: the facts that OpenAPI leaves out. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** How Go writes one field. `raw` is a type with a JSON form of its own. */
export type GoField = { pointer: boolean; omitEmpty: boolean; omitZero: boolean; raw: boolean };

type Struct = { fields: Map<string, GoField>; inline: string[] };

const rawTypes = /(^|\.)(RawExtension|JSON|FieldsV1)$/;

function parsePackage(folder: string): Map<string, Struct> {
  const structs = new Map<string, Struct>();
  if (!existsSync(folder)) return structs;
  for (const file of readdirSync(folder)) {
    if (!/^(?!zz_generated|.*_test).*\.go$/.test(file)) continue;
    const source = readFileSync(path.join(folder, file), 'utf8');
    for (const match of source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
      structs.set(match[1] ?? '', parseStruct(match[2] ?? ''));
  }
  return structs;
}

function parseStruct(body: string): Struct {
  const struct: Struct = { fields: new Map(), inline: [] };
  for (const line of body.split('\n')) {
    const match = /^\t(?:(\w+)\s+)?([^\s`]+)\s+`[^`]*json:"([^"]*)"/.exec(line);
    if (match === null) continue;
    const [, , type = '', tag = ''] = match;
    const [name = '', ...options] = tag.split(',');
    if (name === '-') continue;
    if (options.includes('inline') || name === '') {
      struct.inline.push(type.replace(/^\*/, '').replace(/^.*\./, ''));
      continue;
    }
    struct.fields.set(name, {
      pointer: type.startsWith('*'),
      omitEmpty: options.includes('omitempty'),
      omitZero: options.includes('omitzero'),
      raw: rawTypes.test(type),
    });
  }
  return struct;
}

function flatten(name: string, structs: ReadonlyMap<string, Struct>): Map<string, GoField> | undefined {
  const struct = structs.get(name);
  if (struct === undefined) return undefined;
  const fields = new Map(struct.fields);
  for (const inline of struct.inline)
    for (const [field, facts] of flatten(inline, structs) ?? []) fields.set(field, facts);
  return fields;
}

/** The fields of each named schema, by JSON name; schemas that are no struct are left out. */
export function goFields(
  folder: string,
  prefix: string,
  names: readonly string[],
): Map<string, ReadonlyMap<string, GoField>> {
  const packages = new Map<string, Map<string, Struct>>();
  const result = new Map<string, ReadonlyMap<string, GoField>>();
  for (const name of names) {
    const parts = name.slice(prefix.length).split('.');
    const type = parts.pop() ?? '';
    const dir = path.join(folder, ...parts);
    const structs = packages.get(dir) ?? parsePackage(dir);
    packages.set(dir, structs);
    const fields = flatten(type, structs);
    if (fields !== undefined) result.set(name, fields);
  }
  return result;
}
