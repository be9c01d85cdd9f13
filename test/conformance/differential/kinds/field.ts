import type { Random } from '../random.ts';

type Path = readonly string[];
export type Value = (random: Random) => unknown;

/** A field that sequences set, change and remove; `undefined` in its values removes it. */
export type Field = Readonly<{ path: Path; value: Value }>;

/** A kind that takes part: how its objects are made, and which of their fields move. */
export type TestedKind = Readonly<{
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  custom?: true;
  hasStatus?: true;
  /** What every object has. */
  base: (random: Random) => Record<string, unknown>;
  fields: readonly Field[];
}>;

/** A field that takes one of these values. */
export const field = (path: string, ...values: readonly unknown[]): Field => ({
  path: path.split('.'),
  value: (random) => random.pick(values),
});

/** A field whose values are made. */
export const made = (path: string, value: Value): Field => ({ path: path.split('.'), value });

const labels = made('metadata.labels', (random) =>
  Object.fromEntries(
    random.some(['app', 'tier', 'a.b/c', 'team'], 0.5).map((key) => [key, random.pick(['x', 'y', ''])]),
  ),
);
/** Fields that objects of all kinds have. */
export const metadataFields: readonly Field[] = [
  labels,
  labels,
  made('metadata.annotations', (random) =>
    Object.fromEntries(
      random
        .some(['note', 'example.com/owner', 'Long/Key'], 0.5)
        .map((key) => [key, random.pick(['1', 'two words', ''])]),
    ),
  ),
  field('metadata.finalizers', ['example.com/keep'], [], ['example.com/keep', 'example.com/second'], null),
  field('metadata.labels', { 'bad key!': 'x' }, { app: 'not valid!' }, null, { app: 'x' }, { app: 'x' }),
];
