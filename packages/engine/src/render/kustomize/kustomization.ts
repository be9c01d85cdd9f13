import { isRecord } from '@tiphys/api';

/** A kustomization file as far as it is read here; what kustomize makes of it, kustomize decides. */
export type Kustomization = Readonly<Record<string, unknown>>;

/** Takes a document for a kustomization; undefined when it is not a mapping, which kustomize then says itself. */
export function asKustomization(document: unknown): Kustomization | undefined {
  if (document === null) return {};
  return isRecord(document) ? document : undefined;
}

/** A file or folder that a kustomization names. */
export type Reference = Readonly<{
  /** As it is written there. */
  path: string;
  /** Where: `resources[2]`. */
  field: string;
  /** Whether kustomize would read it from a URL if it is one. */
  remote: boolean;
}>;

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
const records = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

/** Fields whose entries are files or folders, or YAML written in place. */
const pathFields = [
  'resources',
  'bases',
  'components',
  'crds',
  'configurations',
  'generators',
  'transformers',
  'validators',
  'patchesStrategicMerge',
] as const;

const isInline = (text: string): boolean => text.includes('\n') || /^\s*[{[]/.test(text);

function* generatorFiles(kustomization: Kustomization): Generator<Reference> {
  for (const field of ['configMapGenerator', 'secretGenerator'])
    for (const [index, generator] of records(kustomization[field]).entries()) {
      const at = `${field}[${index}]`;
      for (const file of strings(generator['files'])) {
        const equals = file.indexOf('=');
        yield { path: equals < 0 ? file : file.slice(equals + 1), field: `${at}.files`, remote: true };
      }
      for (const file of strings(generator['envs'])) yield { path: file, field: `${at}.envs`, remote: true };
      if (typeof generator['env'] === 'string') yield { path: generator['env'], field: `${at}.env`, remote: true };
    }
}

function* patchFiles(kustomization: Kustomization): Generator<Reference> {
  for (const field of ['patches', 'patchesJson6902', 'replacements'])
    for (const [index, patch] of records(kustomization[field]).entries())
      if (typeof patch['path'] === 'string' && patch['path'] !== '')
        yield { path: patch['path'], field: `${field}[${index}].path`, remote: true };
  const { openapi } = kustomization;
  if (isRecord(openapi) && typeof openapi['path'] === 'string')
    yield { path: openapi['path'], field: 'openapi.path', remote: true };
}

function* chartFiles(kustomization: Kustomization): Generator<Reference> {
  const globals = kustomization['helmGlobals'];
  const home = isRecord(globals) && typeof globals['chartHome'] === 'string' ? globals['chartHome'] : 'charts';
  for (const [index, chart] of records(kustomization['helmCharts']).entries()) {
    const field = `helmCharts[${index}]`;
    if (typeof chart['name'] === 'string') yield { path: `${home}/${chart['name']}`, field, remote: false };
    const files = [chart['valuesFile'], ...strings(chart['additionalValuesFiles'])];
    for (const file of strings(files)) yield { path: file, field: `${field}.valuesFile`, remote: true };
  }
  for (const [index, chart] of records(kustomization['helmChartInflationGenerator']).entries()) {
    const field = `helmChartInflationGenerator[${index}]`;
    const own = typeof chart['chartHome'] === 'string' ? chart['chartHome'] : 'charts';
    if (typeof chart['chartName'] === 'string') yield { path: `${own}/${chart['chartName']}`, field, remote: false };
    if (typeof chart['values'] === 'string') yield { path: chart['values'], field: `${field}.values`, remote: true };
  }
}

/** Every file and folder that a kustomization names, in the order it does. */
export function* referencesOf(kustomization: Kustomization): Generator<Reference> {
  for (const field of pathFields)
    for (const [index, path] of strings(kustomization[field]).entries())
      if (!isInline(path)) yield { path, field: `${field}[${index}]`, remote: true };
  yield* patchFiles(kustomization);
  yield* generatorFiles(kustomization);
  yield* chartFiles(kustomization);
}

/** Whether a kustomization has a chart pulled from a repository. */
export const pullsCharts = (kustomization: Kustomization): boolean =>
  records(kustomization['helmCharts']).some((chart) => typeof chart['repo'] === 'string' && chart['repo'] !== '') ||
  records(kustomization['helmChartInflationGenerator']).some((chart) => typeof chart['chartRepoUrl'] === 'string');

/** What kustomize takes for the address of a file or repository elsewhere, when no such file is there. */
export const looksRemote = (path: string): boolean =>
  /^(?:[a-z][\w+.-]*:\/\/|git::|[\w.-]+@[\w.-]+:|(?:www\.)?(?:github|gitlab|bitbucket)\.[a-z]+[/:])/i.test(path) ||
  /(?:\.git(?:\/|\?|$)|\?(?:ref|version|timeout|submodules)=|_git\/)/.test(path);
