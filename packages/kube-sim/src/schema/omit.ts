/** The record without some of its fields. */
export function omit<T extends object, K extends string>(record: T, ...keys: readonly K[]): Omit<T, K> {
  const dropped = new Set<string>(keys);
  // Leaving out exactly these keys is what Omit means.
  return Object.fromEntries(Object.entries(record).filter(([key]) => !dropped.has(key))) as Omit<T, K>;
}
