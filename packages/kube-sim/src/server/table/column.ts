import { at, isRecord, type KubeObject } from '@tiphys/api';

export type Cell = string | number | boolean | null;

/** One column of a table: what its header says and how a cell follows from an object. */
export type Column = Readonly<{
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  /** 0 is always shown, 1 only in wide output. */
  priority?: number;
  description?: string;
  cell: (object: KubeObject, now: Date) => Cell;
}>;

const units: readonly (readonly [limitS: number, text: (s: number) => string])[] = [
  [120, (s) => `${s}s`],
  [600, (s) => pair(Math.floor(s / 60), 'm', s % 60, 's')],
  [10_800, (s) => `${Math.floor(s / 60)}m`],
  [28_800, (s) => pair(Math.floor(s / 3600), 'h', Math.floor(s / 60) % 60, 'm')],
  [172_800, (s) => `${Math.floor(s / 3600)}h`],
  [691_200, (s) => pair(Math.floor(s / 86_400), 'd', Math.floor(s / 3600) % 24, 'h')],
  [63_072_000, (s) => `${Math.floor(s / 86_400)}d`],
  [252_288_000, (s) => pair(Math.floor(s / 31_536_000), 'y', Math.floor(s / 86_400) % 365, 'd')],
];

// eslint-disable-next-line max-params -- two amounts with their units read best side by side
const pair = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;

/** A duration as kubectl shows ages: two units at most, coarser as it grows. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  const unit = units.find(([limit]) => seconds < limit);
  return unit === undefined ? `${Math.floor(seconds / 31_536_000)}y` : unit[1](seconds);
}

/** The age of a time; `<unknown>` when there is none. */
export function ageText(time: unknown, now: Date): string {
  if (typeof time !== 'string' || time === '') return '<unknown>';
  return durationText(now.getTime() - new Date(time).getTime());
}

export const records = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

/** The path of keys as text; the fallback when there is nothing. */
export function textOf(value: unknown, fallback = ''): string {
  if (typeof value === 'string') return value === '' ? fallback : value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return fallback;
}

export const countOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** `a=b,c=d` with sorted keys, or `<none>`. */
export function labelsText(labels: unknown): string {
  if (!isRecord(labels) || Object.keys(labels).length === 0) return '<none>';
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${textOf(labels[key])}`)
    .join(',');
}

const operators: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/** A metav1.LabelSelector as text. */
export function selectorText(selector: unknown): string {
  const equal = at(selector, 'matchLabels');
  const parts = isRecord(equal) && Object.keys(equal).length > 0 ? [labelsText(equal)] : [];
  for (const expression of records(at(selector, 'matchExpressions'))) {
    const values = Array.isArray(expression['values']) ? expression['values'].map((value) => textOf(value)).sort() : [];
    const write = operators[textOf(expression['operator'])];
    if (write !== undefined) parts.push(write(textOf(expression['key']), values.join(',')));
  }
  return parts.length === 0 ? '<none>' : parts.join(',');
}

export const name: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  cell: (object) => object.metadata.name ?? '',
};

export const age: Column = {
  name: 'Age',
  type: 'string',
  cell: (object, now) => ageText(object.metadata.creationTimestamp, now),
};

/** A column that shows what lies at a path. */
export const text = (title: string, ...path: readonly (string | number)[]): Column => ({
  name: title,
  type: 'string',
  cell: (object) => textOf(at(object, ...path)),
});

/** A column with a number at a path; 0 when there is none. */
export const count = (title: string, ...path: readonly (string | number)[]): Column => ({
  name: title,
  type: 'integer',
  cell: (object) => countOf(at(object, ...path)),
});

/** A column with its own rule. */
export const computed = (title: string, cell: Column['cell']): Column => ({ name: title, type: 'string', cell });

/** A column that only wide output shows. */
export const wide = (column: Column): Column => ({ ...column, priority: 1 });

/** The wide columns of everything with a pod template. */
export const containerColumns = (...template: readonly string[]): readonly Column[] => {
  const containers = (object: KubeObject): Record<string, unknown>[] =>
    records(at(object, ...template, 'spec', 'containers'));
  return [
    wide(
      computed('Containers', (o) =>
        containers(o)
          .map((container) => textOf(container['name']))
          .join(','),
      ),
    ),
    wide(
      computed('Images', (o) =>
        containers(o)
          .map((container) => textOf(container['image']))
          .join(','),
      ),
    ),
  ];
};
