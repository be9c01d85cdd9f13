import { checkName, withRealGroup } from '../application/check.ts';
import {
  type Checked,
  type Findings,
  joinFindings,
  nothing,
  type ParseOptions,
  problem,
  weigh,
} from '../schema/findings.ts';
import { parseWith } from '../schema/parse.ts';
import { type ApplicationSet, applicationSetSchema } from './application-set.ts';

/** The fields of a generator that say what it is; the others (selector, template) go with any. */
const kinds = [
  'list',
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'plugin',
  'matrix',
  'merge',
];

/** A generator at any depth, as far as its own rules go. */
type AnyGenerator = Readonly<{
  matrix?: Readonly<{ generators: readonly object[] }>;
  merge?: Readonly<{ generators: readonly object[]; mergeKeys: readonly string[] }>;
}>;

function checkGenerator(generator: AnyGenerator, path: string): Findings {
  const named = Object.keys(generator).filter((key) => kinds.includes(key));
  if (named.length !== 1) {
    const found = named.length === 0 ? 'none' : named.join(' and ');
    return problem(path, `has ${found}; a generator is exactly one of ${kinds.join(', ')}`);
  }
  const { matrix, merge } = generator;
  if (matrix !== undefined)
    return joinFindings([
      matrix.generators.length === 2
        ? nothing
        : problem(`${path}.matrix.generators`, 'must have exactly two generators'),
      checkGenerators(matrix.generators, `${path}.matrix.generators`),
    ]);
  if (merge !== undefined)
    return joinFindings([
      merge.generators.length >= 2 ? nothing : problem(`${path}.merge.generators`, 'must have two generators or more'),
      merge.mergeKeys.length > 0 ? nothing : problem(`${path}.merge.mergeKeys`, 'must name at least one parameter'),
      checkGenerators(merge.generators, `${path}.merge.generators`),
    ]);
  return nothing;
}

const checkGenerators = (generators: readonly AnyGenerator[], path: string): Findings =>
  joinFindings(generators.map((generator, index) => checkGenerator(generator, `${path}[${index}]`)));

/** Reads an ApplicationSet and checks all that needs no parameters; `mode` as for parseApplication. */
export function parseApplicationSet(value: unknown, options: ParseOptions): Checked<ApplicationSet> {
  const { value: real, findings } = withRealGroup(value);
  const parsed = parseWith(applicationSetSchema, real);
  const { spec, metadata } = parsed.value;
  const rules = [findings, checkName(metadata, options), checkGenerators(spec.generators, 'spec.generators')];
  return weigh(parsed, joinFindings(rules), options);
}
