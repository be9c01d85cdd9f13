import type { ObjectNode, SchemaNode } from './schema.ts';

function typeText(node: SchemaNode): string {
  switch (node.kind) {
    case 'text':
      return node.values === undefined ? 'string' : node.values.map((value) => `\`${value}\``).join(' ');
    case 'flag':
      return 'boolean';
    case 'int64':
      return 'integer';
    case 'int-or-text':
      return 'integer or string';
    case 'json':
      return 'anything';
    case 'json-object':
      return 'object';
    case 'time':
      return 'time';
    case 'list':
      return `list of ${typeText(node.of)}`;
    case 'map':
      return `map of ${typeText(node.of)}`;
    case 'object':
      return `[${node.name}](#${node.name.toLowerCase()})`;
  }
}

const objectsIn = (node: SchemaNode): readonly ObjectNode[] => {
  if (node.kind === 'object') return [node];
  return node.kind === 'list' || node.kind === 'map' ? objectsIn(node.of) : [];
};

function gather(node: ObjectNode, found: Map<string, ObjectNode>): void {
  if (found.has(node.name) || node.name === 'ObjectMeta') return;
  found.set(node.name, node);
  for (const field of node.fields.values()) for (const inner of objectsIn(field.node)) gather(inner, found);
}

const section = (node: ObjectNode): string => {
  const rows = [...node.fields].map(([name, { node: type, doc, required }]) => {
    const typed = objectsIn(type).some((inner) => inner.name === 'ObjectMeta') ? 'ObjectMeta' : typeText(type);
    return `| \`${name}\`${required ? ' (required)' : ''} | ${typed} | ${doc.replaceAll('|', '\\|')} |`;
  });
  return [`## ${node.name}`, '', '| Field | Type | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
};

/** The reference page of a kind in Markdown: one table for each object in it, in the order in which they are met. */
export function fieldTables({ node }: Readonly<{ node: ObjectNode }>): string {
  const found = new Map<string, ObjectNode>();
  gather(node, found);
  return [...found.values()].map(section).join('\n\n');
}
