import { type Argument, flag, integer, option, options } from '../../define-command.ts';

/** A flag that changes one place of a source or specification: how it is written, and what it does. */
export type Flag<Target> = Readonly<{ argument: Argument<unknown>; apply: (target: Target, value: unknown) => Target }>;

/** Flags by name in camelCase. */
export type Flags<Target> = Readonly<Record<string, Flag<Target>>>;

/** `--name TEXT` */
export const textFlag = <T>(doc: string, set: (target: T, value: string) => T): Flag<T> => ({
  argument: option(doc),
  apply: (target, value) => (typeof value === 'string' ? set(target, value) : target),
});

/** `--name`, `--name=false` */
export const switchFlag = <T>(doc: string, set: (target: T, value: boolean) => T): Flag<T> => ({
  argument: flag(doc),
  apply: (target, value) => (typeof value === 'boolean' ? set(target, value) : target),
});

/** `--name 5` */
export const numberFlag = <T>(doc: string, set: (target: T, value: number) => T): Flag<T> => ({
  argument: integer(doc),
  apply: (target, value) => (typeof value === 'number' ? set(target, value) : target),
});

/** `--name a --name b` */
export const listFlag = <T>(
  doc: string,
  set: (target: T, values: readonly string[]) => T,
  short?: string,
): Flag<T> => ({
  argument: options(doc, short === undefined ? {} : { short }),
  apply: (target, value) => (Array.isArray(value) && value.length > 0 ? set(target, value.map(String)) : target),
});
