const item = /^- (?:`\[([a-z][a-z0-9-]*)\]` )?(.*(?:\n {2}.*)*)/gm;

/**
 * The entries of DIFFERENCES.md, by key: the first sentence of each.
 * @throws Error for an item without a key, or with one that another item has
 */
export function entriesOf(text: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const [, key, words = ''] of text.matchAll(item)) {
    const line = words.replaceAll(/\s*\n\s*/g, ' ');
    if (key === undefined) throw new Error(`DIFFERENCES.md: an item has no key: ${line}`);
    if (entries.has(key)) throw new Error(`DIFFERENCES.md: two items have the key ${key}`);
    entries.set(key, /^.*?[.:;](?= |$)/.exec(line)?.[0] ?? line);
  }
  return entries;
}
