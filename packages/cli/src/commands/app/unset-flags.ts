import type { ApplicationSource, HelmSource, KustomizeSource } from '@tiphys/api';
import { type Flags, listFlag, switchFlag } from './flag.ts';
import { imageName } from './source-flags.ts';

type Source = ApplicationSource;

/** An object without some of its fields; undefined when nothing is left. */
function without<T extends object>(value: T | undefined, ...fields: readonly (keyof T & string)[]): T | undefined {
  if (value === undefined) return undefined;
  const rest = Object.fromEntries(Object.entries(value).filter(([field]) => !fields.some((one) => one === field))) as T; // A part of a T whose fields are all optional is a T.
  return Object.keys(rest).length === 0 ? undefined : rest;
}

/** A list without some entries; undefined when nothing is left. */
const reject = <T>(list: readonly T[] | undefined, unwanted: (entry: T) => boolean): readonly T[] | undefined => {
  const rest = (list ?? []).filter((entry) => !unwanted(entry));
  return rest.length === 0 ? undefined : rest;
};

const withBlock = <K extends 'helm' | 'kustomize' | 'plugin'>(source: Source, name: K, block: Source[K]): Source => {
  const rest = without(source, name) ?? source;
  return block === undefined || Object.keys(block).length === 0 ? rest : { ...rest, [name]: block };
};

const inHelm =
  <V>(change: (helm: HelmSource, value: V) => HelmSource | undefined) =>
  (source: Source, value: V): Source =>
    source.helm === undefined ? source : withBlock(source, 'helm', change(source.helm, value));

const inKustomize =
  <V>(change: (kustomize: KustomizeSource, value: V) => KustomizeSource | undefined) =>
  (source: Source, value: V): Source =>
    source.kustomize === undefined ? source : withBlock(source, 'kustomize', change(source.kustomize, value));

/** A flag that takes fields away; `--flag=false` leaves them. */
const dropHelm = (doc: string, ...fields: readonly (keyof HelmSource)[]) =>
  switchFlag(
    doc,
    inHelm((helm, drop: boolean) => (drop ? without(helm, ...fields) : helm)),
  );

const dropKustomize = (doc: string, ...fields: readonly (keyof KustomizeSource)[]) =>
  switchFlag(
    doc,
    inKustomize((kustomize, drop: boolean) => (drop ? without(kustomize, ...fields) : kustomize)),
  );

/** A block with one of its lists replaced, or without it. */
const withList = <T extends object, K extends keyof T & string>(
  block: T,
  field: K,
  list: T[K] | undefined,
): T | undefined => (list === undefined ? without(block, field) : { ...block, [field]: list });

/** What `app unset` takes away from a source. */
export const unsetFlags: Flags<Source> = {
  ref: switchFlag('The name by which other sources read its files', (source, drop) =>
    drop ? (without(source, 'ref') ?? source) : source,
  ),
  parameter: listFlag(
    'Helm parameter, by name; may be repeated',
    inHelm((helm, names: readonly string[]) =>
      withList(
        helm,
        'parameters',
        reject(helm.parameters, ({ name = '' }) => names.includes(name)),
      ),
    ),
    'p',
  ),
  values: listFlag(
    'Helm value file; may be repeated',
    inHelm((helm, files: readonly string[]) =>
      withList(
        helm,
        'valueFiles',
        reject(helm.valueFiles, (file) => files.includes(file)),
      ),
    ),
  ),
  valuesLiteral: dropHelm('The inline Helm values', 'values', 'valuesObject'),
  ignoreMissingValueFiles: dropHelm('That missing value files are left out', 'ignoreMissingValueFiles'),
  passCredentials: dropHelm('That credentials go to all domains', 'passCredentials'),
  nameprefix: dropKustomize('The Kustomize name prefix', 'namePrefix'),
  namesuffix: dropKustomize('The Kustomize name suffix', 'nameSuffix'),
  kustomizeVersion: dropKustomize('The Kustomize version', 'version'),
  kustomizeNamespace: dropKustomize('The Kustomize namespace', 'namespace'),
  ignoreMissingComponents: dropKustomize('That missing components are left out', 'ignoreMissingComponents'),
  kustomizeImage: listFlag(
    'Kustomize image override, by image name; may be repeated',
    inKustomize((kustomize, names: readonly string[]) => {
      const unwanted = new Set(names.map(imageName));
      return withList(
        kustomize,
        'images',
        reject(kustomize.images, (image) => unwanted.has(imageName(image))),
      );
    }),
  ),
  kustomizeReplica: listFlag(
    'Kustomize replica count, by name; may be repeated',
    inKustomize((kustomize, names: readonly string[]) =>
      withList(
        kustomize,
        'replicas',
        reject(kustomize.replicas, ({ name }) => names.includes(name)),
      ),
    ),
  ),
  pluginEnv: listFlag('Environment variable of the plugin; may be repeated', (source, names) => {
    const { plugin } = source;
    if (plugin === undefined) return source;
    return withBlock(
      source,
      'plugin',
      withList(
        plugin,
        'env',
        reject(plugin.env, ({ name }) => names.includes(name)),
      ),
    );
  }),
};
