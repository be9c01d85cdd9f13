/** Command-line flags of the benches: `--name=value` or `--name`. (`npm run bench -- WORD` takes bare words for names of benches.) */

export const hasFlag = (name: string): boolean =>
  process.argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));

export const textFlag = (name: string): string | undefined =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);

/** @throws Error when the flag is there and is no positive number */
export function numberFlag(name: string, fallback: number): number {
  if (!hasFlag(name)) return fallback;
  const value = Number(textFlag(name));
  if (!(value > 0)) throw new Error(`--${name}=N wants a positive number`);
  return value;
}

/** A list of positive numbers: `--applications=100,300`. */
export function numbersFlag(name: string, fallback: readonly number[]): readonly number[] {
  if (!hasFlag(name)) return fallback;
  const values = (textFlag(name) ?? '').split(',').map(Number);
  if (values.some((value) => !(value > 0))) throw new Error(`--${name}=N,N wants positive numbers`);
  return values;
}
