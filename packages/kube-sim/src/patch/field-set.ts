import { canonicalJson, isRecord, parseJson } from '@tiphys/api';

/**
 * A set of fields as a tree. Keys are path elements as FieldsV1 writes them: `f:name` (a field), `k:{"name":"x"}` (an
 * item of a map list by its keys), `v:"x"` (a member of a set). A node is in the set itself (`member`), or has fields
 * below it that are, or both. Sets are values: no operation changes its arguments.
 */
export type FieldSet = ReadonlyMap<string, FieldNode>;
type FieldNode = Readonly<{ member: boolean; below: FieldSet }>;

/** A path: its elements from the root. */
export type FieldPath = readonly string[];

export const emptySet: FieldSet = new Map();

/** Collects paths into a set. */
export class FieldSetBuilder {
  readonly #root = new Map<string, MutableNode>();

  add(path: FieldPath): void {
    let here = this.#root;
    for (const [index, element] of path.entries()) {
      let node = here.get(element);
      if (node === undefined) {
        node = { member: false, below: new Map() };
        here.set(element, node);
      }
      // Nobody owns the whole object: the empty path adds nothing.
      if (index === path.length - 1) node.member = true;
      here = node.below;
    }
  }

  build(): FieldSet {
    return this.#root;
  }
}

type MutableNode = { member: boolean; below: Map<string, MutableNode> };

export const setOf = (...paths: readonly FieldPath[]): FieldSet => {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.add(path);
  return builder.build();
};

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const result = new Map(a);
  for (const [element, node] of b) {
    const other = a.get(element);
    result.set(
      element,
      other === undefined ? node : { member: node.member || other.member, below: union(other.below, node.below) },
    );
  }
  return result;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result = new Map<string, FieldNode>();
  for (const [element, node] of a) {
    const other = b.get(element);
    if (other === undefined) continue;
    const both = { member: node.member && other.member, below: intersection(node.below, other.below) };
    if (both.member || both.below.size > 0) result.set(element, both);
  }
  return result;
}

/** The members of `a` that are no members of `b`. What lies below a member of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (b.size === 0) return a;
  const result = new Map<string, FieldNode>();
  for (const [element, node] of a) {
    const other = b.get(element);
    const rest =
      other === undefined ? node : { member: node.member && !other.member, below: difference(node.below, other.below) };
    if (rest.member || rest.below.size > 0) result.set(element, rest);
  }
  return result;
}

/** `a` without the members of `b` and without everything below them. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  if (b.size === 0) return a;
  const result = new Map<string, FieldNode>();
  for (const [element, node] of a) {
    const other = b.get(element);
    if (other?.member === true) continue;
    const rest = other === undefined ? node : { member: node.member, below: without(node.below, other.below) };
    if (rest.member || rest.below.size > 0) result.set(element, rest);
  }
  return result;
}

/** Fields before list items, each by name: the order in which the API server lists paths. */
const inOrder = (set: FieldSet): [string, FieldNode][] =>
  [...set].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));

const rank = (element: string): number => 'fkvi'.indexOf(element.charAt(0));

/** All paths: on each level the members first, then what lies below. */
export function pathsOf(set: FieldSet, prefix: FieldPath = []): FieldPath[] {
  const sorted = inOrder(set);
  const here = sorted.filter(([, node]) => node.member).map(([element]) => [...prefix, element]);
  return [...here, ...sorted.flatMap(([element, node]) => pathsOf(node.below, [...prefix, element]))];
}

/** FieldsV1: `{"f:spec":{"f:replicas":{}}}`, with `.` for a member that has more below it. */
export function toFieldsV1(set: FieldSet): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [element, node] of inOrder(set))
    result[element] = { ...(node.member && node.below.size > 0 && { '.': {} }), ...toFieldsV1(node.below) };
  return result;
}

/** Reads FieldsV1; keys of list items are brought into one form, so that sets can be compared. */
export function fromFieldsV1(fields: unknown): FieldSet {
  const result = new Map<string, FieldNode>();
  if (!isRecord(fields)) return result;
  for (const [element, value] of Object.entries(fields)) {
    if (element === '.') continue;
    const below = fromFieldsV1(value);
    const member = below.size === 0 || (isRecord(value) && value['.'] !== undefined);
    result.set(normalized(element), { member, below });
  }
  return result;
}

function normalized(element: string): string {
  if (!element.startsWith('k:') && !element.startsWith('v:')) return element;
  return element.slice(0, 2) + elementJson(parseJson(element.slice(2), 'managed fields'));
}

/** JSON as Go writes it into a path element: sorted keys, and `<`, `>`, `&` escaped. */
export const elementJson = (value: unknown): string =>
  canonicalJson(value).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);

/** A path as messages show it: `.spec.containers[name="x"].image`. */
export const pathText = (path: FieldPath): string => path.map(elementText).join('');

export function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('i:')) return `[${rest}]`;
  const value = parseJson(rest, 'path element');
  if (element.startsWith('v:') || !isRecord(value)) return `[=${valueText(value)}]`;
  const keys = Object.entries(value).map(([key, part]) => `${key}=${valueText(part)}`);
  return `[${keys.join(',')}]`;
}

const valueText = (value: unknown): string => canonicalJson(value);
