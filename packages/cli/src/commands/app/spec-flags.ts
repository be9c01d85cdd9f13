import { type Application, type ApplicationSource, CodedError } from '@tiphys/api';
import { type Argument, kebab } from '../../define-command.ts';
import type { Flags } from './flag.ts';
import { destinationFlags, hydratorFlags, policyFlags } from './policy-flags.ts';
import { chosenSource } from './source-choice.ts';
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

/** The flags that concern the whole application, for commands about one source, which refuse them. */
export const wholeApplicationArguments = Object.fromEntries(
  Object.entries(specFlags).map(([name, { argument }]) => [name, { ...argument, hidden: true }]),
);

/** Flags as arguments of a command. */
export const argumentsOf = <T>(flags: Flags<T>): Readonly<Record<string, Argument<unknown>>> =>
  Object.fromEntries(Object.entries(flags).map(([name, { argument }]) => [name, argument]));

/** The arguments of `app create` and `app set` that say what the application should be. */
export const sourceArguments = argumentsOf(sourceFlags);

export const specArguments = { ...argumentsOf(sourceFlags), ...argumentsOf(specFlags) };

type Given = Readonly<Record<string, unknown>>;

/** Whether a flag was given. */
export const isGiven = (value: unknown): boolean =>
  value !== undefined && !(Array.isArray(value) && value.length === 0);

/** What the given flags make of a source or specification. */
export const applyAll = <T>(flags: Flags<T>, given: Given, target: T): T =>
  Object.entries(flags).reduce(
    (changed, [name, { apply }]) => (isGiven(given[name]) ? apply(changed, given[name]) : changed),
    target,
  );

/** The names of the flags that were given, as they are written. */
export const givenFlags = (given: Given): readonly string[] =>
  [...Object.keys(sourceFlags), ...Object.keys(specFlags)]
    .filter((name) => isGiven(given[name]))
    .map((name) => `--${kebab(name)}`);

/**
 * A specification with its source changed: the only one, or the one at an index from 0.
 * @throws CodedError cli/usage when there are several and none is named
 */
export function changedSource(
  spec: Spec,
  index: number | undefined,
  change: (source: ApplicationSource) => ApplicationSource,
): Spec {
  const { sources = [] } = spec;
  if (sources.length === 0) return { ...spec, source: change(spec.source ?? { repoURL: '' }) };
  if (index === undefined)
    throw new CodedError(
      'cli/usage',
      `the application has ${sources.length} sources; say which with --source-position (from 1)`,
    );
  return { ...spec, sources: sources.map((source, at) => (at === index ? change(source) : source)) };
}

/** The source that the flags describe. */
export const newSource = (given: Given): ApplicationSource => applyAll(sourceFlags, given, { repoURL: '' });

function withSource(spec: Spec, position: number | undefined, given: Given): Spec {
  const isAsked = Object.keys(sourceFlags).some((name) => isGiven(given[name]));
  if (!isAsked) return spec;
  const index = chosenSource({ spec }, { sourcePosition: position });
  return changedSource(spec, index, (source) => withoutEmptyTexts(applyAll(sourceFlags, given, source)));
}

const blocks = ['helm', 'kustomize', 'directory', 'plugin'] as const;

/** `--nameprefix ''` takes a setting away: an empty text says nothing. */
function withoutEmptyTexts(source: ApplicationSource): ApplicationSource {
  const filled = (block: object): object =>
    Object.fromEntries(Object.entries(block).filter(([, value]) => value !== ''));
  return blocks.reduce<ApplicationSource>((changed, name) => {
    const block = changed[name];
    return block === undefined ? changed : { ...changed, [name]: filled(block) };
  }, source);
}

/** A specification with what the flags say. @throws CodedError cli/usage */
export const withFlags = (spec: Spec, given: Given, position?: number): Spec =>
  applyAll(specFlags, given, withSource(spec, position, given));
