/** Runs at most so many at once, in the order of asking; the limit may change while they do. */
export function limiter(limit: () => number): <T>(run: () => Promise<T>) => Promise<T> {
  let active = 0;
  const waiting: (() => void)[] = [];
  const mayStart = (): boolean => active < Math.max(1, limit());
  /** A place is taken in the name of the one who is woken: nobody comes in between. */
  const wake = (): void => {
    while (mayStart()) {
      const next = waiting.shift();
      if (next === undefined) return;
      active += 1;
      next();
    }
  };
  return async (run) => {
    if (waiting.length === 0 && mayStart()) active += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      active -= 1;
      wake();
    }
  };
}

/** The results of all items, in their order, with at most so many runs at once. One that fails does not keep the others from running. */
export function mapLimited<T, R>(items: readonly T[], limit: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const limited = limiter(() => limit);
  return Promise.all(items.map((item) => limited(() => run(item))));
}
