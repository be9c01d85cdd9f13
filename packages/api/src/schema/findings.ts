import type { Parsed, Problem, UnknownField } from './parse.ts';

/** Something to tell without refusing. `reference` is the entry of the requirements that it comes from. */
export type Warning = Readonly<{ path: string; message: string; nearest?: string; reference?: string }>;

/** How strict to be: `create` refuses what somebody can still correct; `read` takes what is stored and warns. */
export type ParseOptions = Readonly<{ mode: 'create' | 'read' }>;

/** An object that was read and checked. With a problem it must not be acted on; `value` has its type all the same. */
export type Checked<T> = Readonly<{
  value: T;
  problems: readonly Problem[];
  warnings: readonly Warning[];
  /** Fields that the type does not have; they are kept in `value`. */
  unknown: readonly UnknownField[];
}>;

/** What a rule finds. Problems refuse, warnings tell. */
export type Findings = Readonly<{ problems: readonly Problem[]; warnings: readonly Warning[] }>;

/** Findings of several rules as one. */
export const joinFindings = (all: readonly Findings[]): Findings => ({
  problems: all.flatMap(({ problems }) => problems),
  warnings: all.flatMap(({ warnings }) => warnings),
});

/** One problem as findings. */
export const problem = (path: string, message: string): Findings => ({ problems: [{ path, message }], warnings: [] });

/** One warning as findings. */
export const warning = (path: string, message: string, reference?: string): Findings => ({
  problems: [],
  warnings: [{ path, message, ...(reference !== undefined && { reference }) }],
});

/** Nothing found. */
export const nothing: Findings = { problems: [], warnings: [] };

/** A problem or warning as one line: `spec.x: unknown field; did you mean "y"?`. */
export function describeFinding({ path, message, nearest, reference }: Warning): string {
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  const source = reference === undefined ? '' : ` (${reference})`;
  return `${path === '' ? '' : `${path}: `}${message}${hint}${source}`;
}

const pathsOf = (found: readonly Problem[]): ReadonlySet<string> => new Set(found.map(({ path }) => path));

/** One word for each fault: a rule says more than "is required", and an ill-typed field more than a rule that finds it gone. */
function withoutRepeats(parsed: readonly Problem[], rules: readonly Problem[]): readonly Problem[] {
  const byRules = pathsOf(rules);
  const kept = parsed.filter(({ path, message }) => message !== 'is required' || !byRules.has(path));
  const byParser = pathsOf(kept);
  return [...kept, ...rules.filter(({ path }) => !byParser.has(path))];
}

const isStatus = ({ path }: Problem): boolean => path === 'status' || path.startsWith('status.');

/**
 * Weighs what the parser and the rules found. Unknown fields are problems on create and warnings on what is stored (APP-08);
 * an ill-typed status is nobody's mistake but another controller's, and never a problem.
 */
export function weigh<T>(parsed: Parsed<T>, rules: Findings, { mode }: ParseOptions): Checked<T> {
  const unknown = parsed.unknown.map((field) => ({ ...field, message: 'unknown field' }));
  // A rule that names a field says more than that it is unknown.
  const named = pathsOf([...rules.problems, ...rules.warnings]);
  const unnamed = unknown.filter(({ path }) => !named.has(path));
  const ofStatus = parsed.problems.filter(isStatus);
  const strict = unnamed.filter((field) => mode === 'create' && !isStatus(field));
  return {
    value: parsed.value,
    problems: [
      ...withoutRepeats(
        parsed.problems.filter((found) => !isStatus(found)),
        rules.problems,
      ),
      ...strict,
    ],
    warnings: [...unnamed.filter((field) => !strict.includes(field)), ...ofStatus, ...rules.warnings],
    unknown: parsed.unknown,
  };
}
