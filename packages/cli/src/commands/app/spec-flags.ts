import { type Application, type ApplicationSource, CodedError } from '@tiphys/api';
import { type Argument, kebab } from '../../define-command.ts';
import type { Flags } from './flag.ts';
import { destinationFlags, hydratorFlags, policyFlags } from './policy-flags.ts';
import { directoryFlags, helmFlags, kustomizeFlags, locationFlags, pluginFlags } from './source-flags.ts';

type Spec = Application['spec'];

const sourceFlags: Flags<ApplicationSource> = {
  ...locationFlags,
  ...helmFlags,
  ...kustomizeFlags,
  ...directoryFlags,
  ...pluginFlags,
};

const specFlags: Flags<Spec> = { ...destinationFlags, ...policyFlags, ...hydratorFlags };

const argumentsOf = <T>(flags: Flags<T>): Readonly<Record<string, Argument<unknown>>> =>
  Object.fromEntries(Object.entries(flags).map(([name, { argument }]) => [name, argument]));

/** The arguments of `app create` and `app set` that say what the application should be. */
export const specArguments = { ...argumentsOf(sourceFlags), ...argumentsOf(specFlags) };

type Given = Readonly<Record<string, unknown>>;

const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

const applyAll = <T>(flags: Flags<T>, given: Given, target: T): T =>
  Object.entries(flags).reduce(
    (changed, [name, { apply }]) => (isGiven(given[name]) ? apply(changed, given[name]) : changed),
    target,
  );

/** The names of the flags that were given, as they are written. */
export const givenFlags = (given: Given): readonly string[] =>
  [...Object.keys(sourceFlags), ...Object.keys(specFlags)]
    .filter((name) => isGiven(given[name]))
    .map((name) => `--${kebab(name)}`);

/** Changes the source at a position that counts from one, as the flag does. */
function withSource(spec: Spec, position: number | undefined, given: Given): Spec {
  const change = (source: ApplicationSource): ApplicationSource => applyAll(sourceFlags, given, source);
  const { sources = [] } = spec;
  if (sources.length > 0) {
    if (position === undefined)
      throw new CodedError(
        'cli/usage',
        `the application has ${sources.length} sources; say which with --source-position (from 1)`,
      );
    if (position < 1 || position > sources.length)
      throw new CodedError('cli/usage', `--source-position: the application has sources 1 to ${sources.length}`);
    return { ...spec, sources: sources.map((source, index) => (index === position - 1 ? change(source) : source)) };
  }
  const source = change(spec.source ?? { repoURL: '' });
  return spec.source === undefined && source.repoURL === '' && Object.keys(source).length === 1
    ? spec
    : { ...spec, source };
}

/** A specification with what the flags say. @throws CodedError cli/usage */
export const withFlags = (spec: Spec, given: Given, position?: number): Spec =>
  applyAll(specFlags, given, withSource(spec, position, given));
