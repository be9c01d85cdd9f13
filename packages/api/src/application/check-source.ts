import { type Findings, joinFindings, nothing, problem } from '../schema/findings.ts';
import type { Application } from './application.ts';
import type { ApplicationSource } from './source.ts';

const tools = ['helm', 'kustomize', 'directory', 'plugin'] as const;

const isSet = (block: object | undefined): boolean =>
  block !== undefined && Object.values(block).some((value) => value !== false && value !== '');

function checkTools(source: ApplicationSource, path: string): Findings {
  const named = tools.filter((tool) => isSet(source[tool]));
  if (named.length <= 1) return nothing;
  return problem(path, `names ${named.join(' and ')}; a source has settings for one of them`);
}

function checkLocation(source: ApplicationSource, path: string): Findings {
  const { repoURL, chart = '', ref = '', targetRevision = '' } = source;
  const folder = source.path ?? '';
  if (repoURL === '') return problem(`${path}.repoURL`, 'is required');
  if (chart !== '' && folder !== '')
    return problem(path, 'has both `path` and `chart`; `path` is for Git, `chart` for a chart repository');
  if (chart !== '' && targetRevision === '')
    return problem(`${path}.targetRevision`, 'is required for a chart: its version or a range such as `1.x`');
  if (chart === '' && folder === '' && ref === '' && !repoURL.startsWith('oci://'))
    return problem(
      path,
      'has neither `path` nor `chart`; name the folder in Git (`path: .` for the root) or the chart',
    );
  return nothing;
}

const refName = /^[a-zA-Z0-9_-]+$/;

const checkRef = ({ ref }: ApplicationSource, path: string): Findings =>
  ref === undefined || ref === '' || refName.test(ref)
    ? nothing
    : problem(`${path}.ref`, 'may hold letters, digits, `_` and `-` only');

const checkOne = (source: ApplicationSource, path: string): Findings =>
  joinFindings([checkLocation(source, path), checkRef(source, path), checkTools(source, path)]);

function checkUnique(sources: readonly ApplicationSource[], field: 'name' | 'ref'): Findings {
  const seen = new Set<string>();
  const findings = sources.map((source, index) => {
    const value = source[field] ?? '';
    if (value === '') return nothing;
    if (seen.has(value)) return problem(`spec.sources[${index}].${field}`, `"${value}" names another source already`);
    seen.add(value);
    return nothing;
  });
  return joinFindings(findings);
}

/** The rules for where manifests come from (APP-03, contract 1.1 and 1.2). Only the form of source that is in force is checked. */
export function checkSources(spec: Application['spec']): Findings {
  if (spec.sourceHydrator !== undefined) {
    const { repoURL } = spec.sourceHydrator.drySource;
    return repoURL === '' ? problem('spec.sourceHydrator.drySource.repoURL', 'is required') : nothing;
  }
  const { sources = [] } = spec;
  if (sources.length > 0)
    return joinFindings([
      ...sources.map((source, index) => checkOne(source, `spec.sources[${index}]`)),
      checkUnique(sources, 'name'),
      checkUnique(sources, 'ref'),
    ]);
  return spec.source === undefined
    ? problem('spec.source', 'is required (or `sources`, or `sourceHydrator`)')
    : checkOne(spec.source, 'spec.source');
}
