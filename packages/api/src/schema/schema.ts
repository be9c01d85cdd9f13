import type { Json } from '../object.ts';

/** What a schema says, as data: the parser, the CRD, the REST schema and the docs are read from it. The kinds are all there are. */
export type SchemaNode =
  | Readonly<{ kind: 'text'; values?: readonly string[] }>
  | Readonly<{ kind: 'time' | 'flag' | 'int64' | 'int-or-text' | 'json' | 'json-object' }>
  | Readonly<{ kind: 'list' | 'map'; of: SchemaNode }>
  | ObjectNode;

/** An object with known fields; fields that it does not know are kept and reported. */
export type ObjectNode = Readonly<{ kind: 'object'; name: string; fields: ReadonlyMap<string, FieldNode> }>;

/** One field: what it holds, what it means, and its number on the wire of the gRPC API where it has one. */
export type FieldNode = Readonly<{ node: SchemaNode; doc: string; number: number | undefined; required: boolean }>;

/** A declaration of T. `inferred` carries the type only; it never has a value. */
export type Schema<T> = Readonly<{ node: SchemaNode; inferred?: T }>;

/** The type that a schema declares; all its fields are readonly. */
export type Infer<S> = S extends Readonly<{ inferred?: infer T }> ? T : never;

type Field<T, Required extends boolean> = Readonly<{
  node: SchemaNode;
  doc: string;
  number: number | undefined;
  required: Required;
  inferred?: T;
}>;

type Fields = Readonly<Record<string, Field<unknown, boolean>>>;
type RequiredNames<F extends Fields> = { [K in keyof F]: F[K]['required'] extends true ? K : never }[keyof F];

type ObjectOf<F extends Fields> = {
  readonly [K in keyof (Pick<F, RequiredNames<F>> & Partial<Omit<F, RequiredNames<F>>>)]: Infer<F[K & keyof F]>;
};

/** An object schema keeps its fields, so that another one can be made from it. */
export type ObjectSchema<F extends Fields> = Readonly<{ node: ObjectNode; fields: F; inferred?: ObjectOf<F> }>;

/** A string. */
export const text: Schema<string> = { node: { kind: 'text' } };
/** An RFC 3339 time, as a string. */
export const time: Schema<string> = { node: { kind: 'time' } };
/** true or false. */
export const flag: Schema<boolean> = { node: { kind: 'flag' } };
/** A 64-bit integer. None of those declared here leaves the range of a double; one that does is a problem. */
export const int64: Schema<number> = { node: { kind: 'int64' } };
/** A number or a string such as `25%` (intstr.IntOrString). */
export const intOrText: Schema<number | string> = { node: { kind: 'int-or-text' } };
/** Any JSON value; kept as it is. */
export const json: Schema<Json> = { node: { kind: 'json' } };
/** Any JSON object; kept as it is. */
export const jsonObject: Schema<{ readonly [key: string]: Json | undefined }> = { node: { kind: 'json-object' } };

/** One of the listed strings. */
export const choice = <const V extends readonly string[]>(...values: V): Schema<V[number]> => ({
  node: { kind: 'text', values },
});

/** A list. */
export const list = <T>(of: Schema<T>): Schema<readonly T[]> => ({ node: { kind: 'list', of: of.node } });

/** A map with arbitrary keys. */
export const map = <T>(of: Schema<T>): Schema<Readonly<Record<string, T>>> => ({ node: { kind: 'map', of: of.node } });

/** A field that may be absent. `number` is its protobuf number, undefined for fields that the gRPC API does not carry. */
export const optional = <T>(number: number | undefined, schema: Schema<T>, doc: string): Field<T, false> => ({
  node: schema.node,
  doc,
  number,
  required: false,
});

/** A field whose absence is a problem; the parser then fills in the empty value of its kind, so that the type holds. */
export const required = <T>(number: number | undefined, schema: Schema<T>, doc: string): Field<T, true> => ({
  node: schema.node,
  doc,
  number,
  required: true,
});

const nodeOf = (name: string, fields: Fields): ObjectNode => ({
  kind: 'object',
  name,
  fields: new Map(Object.entries(fields)),
});

/** An object with known fields. The name stands in docs and REST schemas. */
export const object = <F extends Fields>(name: string, fields: F): ObjectSchema<F> => ({
  node: nodeOf(name, fields),
  fields,
});

/** The same object with every field optional (the nested ones stay as they are). */
export const partial = <F extends Fields>(name: string, { fields }: ObjectSchema<F>): Schema<Partial<ObjectOf<F>>> => ({
  node: {
    kind: 'object',
    name,
    fields: new Map(Object.entries(fields).map(([key, field]) => [key, { ...field, required: false }])),
  },
});
