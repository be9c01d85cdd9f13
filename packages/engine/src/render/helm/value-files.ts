import { CodedError } from '@tiphys/api';
import { compilePathGlob, isGlob } from '@tiphys/language';
import { joinPath, normalisePath } from '../../git/read/tree.ts';
import { type BuildEnvironment, substitute } from '../build-environment.ts';
import type { Reads } from '../read-set.ts';

/** Where a value file comes from. */
export type ValueFile =
  /** In a Git repository: which one (0 is the chart's own, others are `ref` sources), and the path in it. */
  | { kind: 'file'; repository: number; path: string }
  /** Within a chart that is pulled, relative to it: a path, or a glob. What is there is known when it is pulled. */
  | { kind: 'chart'; path: string; field: string }
  | { kind: 'url'; url: string };

/** Repositories that value files may lie in. */
export type ValueSources = Readonly<{
  /** The chart's repository and the chart's folder in it; undefined for a chart from a chart repository. */
  chart: Readonly<{ reads: Omit<Reads, 'paths'>; folder: string }> | undefined;
  /** By name, without the dollar. */
  refs: ReadonlyMap<string, Omit<Reads, 'paths'>>;
  schemes: readonly string[];
  environment: BuildEnvironment;
}>;

/** A place in one of the repositories, before it is known whether something is there. */
type Place =
  | { kind: 'place'; repository: number; reads: Omit<Reads, 'paths'>; path: string }
  | Exclude<ValueFile, { kind: 'file' }>;

const outside = (field: string, text: string): CodedError =>
  new CodedError('render/path-outside', `${field}: "${text}" leads out of the repository`);

function placeOf(text: string, field: string, sources: ValueSources): Place {
  const ref = /^\$([^/]+)(?:\/(.*))?$/.exec(text);
  const [, name = '', inRef = ''] = ref ?? [];
  const reads = sources.refs.get(name);
  if (ref !== null && reads !== undefined) {
    const path = normalisePath(substitute(inRef, sources.environment));
    if (path === undefined) throw outside(field, text);
    return { kind: 'place', repository: 1 + [...sources.refs.keys()].indexOf(name), reads, path };
  }
  const known = sources.environment[name.replace(/^\{(.*)\}$/, '$1')] !== undefined;
  if (ref !== null && !known && !/[{$]/.test(name))
    throw new CodedError(
      'render/value-file-missing',
      `${field}: "${text}": no source of this application has the ref "${name}"`,
    );
  const plain = substitute(text, sources.environment);
  const scheme = /^([a-z][\w+.-]*):\/\//i.exec(plain)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    if (sources.schemes.includes(scheme)) return { kind: 'url', url: plain };
    throw new CodedError(
      'render/unsupported',
      `${field}: "${plain}": the scheme ${scheme} is not in helm.valuesFileSchemes`,
    );
  }
  if (sources.chart === undefined) {
    const path = plain.startsWith('/') ? undefined : normalisePath(plain);
    if (path === undefined) throw outside(field, plain);
    return { kind: 'chart', path, field };
  }
  const path = plain.startsWith('/') ? normalisePath(plain) : joinPath(sources.chart.folder, plain);
  if (path === undefined) throw outside(field, plain);
  return { kind: 'place', repository: 0, reads: sources.chart.reads, path };
}

/**
 * The value files of a chart that was pulled: globs are filled in, and what may be missing is left out.
 * @throws CodedError render/value-file-missing naming entry and field
 */
export function resolveChartFiles(
  files: readonly ValueFile[],
  { names, ignoreMissing }: Readonly<{ names: readonly string[]; ignoreMissing: boolean }>,
): readonly ValueFile[] {
  const taken = new Set(files.flatMap((file) => (file.kind === 'chart' ? [file.path] : [])));
  return files.flatMap((file) => {
    if (file.kind !== 'chart' || names.includes(file.path)) return [file];
    const glob = isGlob(file.path);
    const found = glob ? [...names].sort().filter(compilePathGlob(file.path)) : [];
    if (found.length === 0 && !ignoreMissing)
      throw missing(file.field, file.path, glob ? 'matches no file' : 'does not exist');
    const fresh = found.filter((path) => !taken.has(path));
    for (const path of fresh) taken.add(path);
    return fresh.map((path) => ({ ...file, path }));
  });
}

/** The folder that a glob begins in: what stands before its first special character. */
const globRoot = (pattern: string): string => {
  const plain = pattern.slice(0, pattern.search(/[*?[{\\]/));
  return plain.slice(0, Math.max(0, plain.lastIndexOf('/')));
};

async function expand(place: Extract<Place, { kind: 'place' }>): Promise<readonly string[]> {
  const matches = compilePathGlob(place.path);
  const paths: string[] = [];
  for await (const { path, entry } of place.reads.tree.walk(globRoot(place.path)))
    if (entry.kind !== 'submodule' && matches(path)) paths.push(path);
  return paths.sort();
}

/** Value files in the order they count, and what has to be watched for others to appear. */
export type ResolvedValueFiles = Readonly<{ files: readonly ValueFile[]; watched: readonly Reads[] }>;

/**
 * Resolves `helm.valueFiles` (contract 12.3): relative to the chart, absolute from the repository's root, `$ref/...`, URLs, globs in
 * lexical order. A file that a glob finds and that is also listed by itself, or was found before, is not taken twice.
 * @throws CodedError render/value-file-missing, render/path-outside, render/unsupported naming entry and field
 */
export async function resolveValueFiles(
  entries: readonly string[],
  options: Readonly<{ ignoreMissing: boolean; sources: ValueSources }>,
): Promise<ResolvedValueFiles> {
  const places = entries.map((text, index) => ({
    text,
    field: `source.helm.valueFiles[${index}]`,
    place: placeOf(text, `source.helm.valueFiles[${index}]`, options.sources),
  }));
  const files: ValueFile[] = [];
  const watched: Reads[] = [];
  const idOf = (repository: number, path: string): string => `${repository} ${path}`;
  const taken = new Set(
    places.flatMap(({ place }) => (place.kind === 'place' ? [idOf(place.repository, place.path)] : [])),
  );
  for (const { text, field, place } of places) {
    if (place.kind !== 'place') {
      files.push(place);
      continue;
    }
    const { repository, reads, path } = place;
    const found = await reads.tree.find(path);
    const glob = found === undefined && isGlob(path);
    watched.push({ ...reads, paths: [glob ? globRoot(path) : path] });
    const paths = found !== undefined ? [path] : glob ? await expand(place) : [];
    if (found?.entry.kind === 'folder') throw missing(field, text, 'is a folder');
    if (paths.length === 0 && !options.ignoreMissing)
      throw missing(field, text, glob ? 'matches no file' : 'does not exist');
    for (const one of paths) {
      if (glob && taken.has(idOf(repository, one))) continue;
      taken.add(idOf(repository, one));
      files.push({ kind: 'file', repository, path: one });
    }
  }
  return { files, watched };
}

/** A value file that is not there. */
export const missing = (field: string, text: string, why: string): CodedError =>
  new CodedError(
    'render/value-file-missing',
    `${field}: the value file "${text}" ${why}; set helm.ignoreMissingValueFiles to leave out what is missing`,
  );

/** Where a `helm.fileParameters` entry points to. @throws as resolveValueFiles */
export async function resolveFileParameter(text: string, field: string, sources: ValueSources): Promise<ValueFile> {
  const place = placeOf(text, field, sources);
  if (place.kind !== 'place') return place;
  const { repository, reads, path } = place;
  const found = await reads.tree.find(path);
  if (found === undefined || found.entry.kind === 'folder')
    throw new CodedError('render/value-file-missing', `${field}: the file "${text}" does not exist`);
  return { kind: 'file', repository, path };
}
