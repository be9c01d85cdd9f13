/** A record without some of its keys. */
export const withoutKeys = <T extends object, K extends string>(record: T, ...keys: readonly K[]): Omit<T, K> =>
  // Leaving keys out is what Omit says; Object.fromEntries forgets the type.
  Object.fromEntries(Object.entries(record).filter(([key]) => !(keys as readonly string[]).includes(key))) as Omit<
    T,
    K
  >;
