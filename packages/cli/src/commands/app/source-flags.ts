import type {
  ApplicationSource,
  DirectorySource,
  HelmSource,
  JsonnetSource,
  KustomizeSource,
  PluginSource,
} from '@tiphys/api';
import { mapOf, mergeBy, mergeByName, pairOf } from './flag-values.ts';
import { type Flags, listFlag, switchFlag, textFlag } from './flag.ts';

type Source = ApplicationSource;

/** Where the manifests come from. */
export const locationFlags: Flags<Source> = {
  repo: textFlag('Repository URL', (source, repoURL) => ({ ...source, repoURL })),
  path: textFlag('Folder in the Git repository', (source, path) => ({ ...source, path })),
  helmChart: textFlag('Name of the chart', (source, chart) => ({ ...source, chart })),
  revision: textFlag('Branch, tag, commit or version range', (source, targetRevision) => ({
    ...source,
    targetRevision,
  })),
  ref: textFlag('Name by which other sources read files of this one', (source, ref) => ({ ...source, ref })),
  sourceName: textFlag('Label of the source', (source, name) => ({ ...source, name })),
  tagPrefix: textFlag('Version ranges look at tags with this prefix', (source, tagPrefix) => ({
    ...source,
    tagPrefix,
  })),
};

const inHelm =
  <V>(set: (helm: HelmSource, value: V) => HelmSource) =>
  (source: Source, value: V): Source => ({ ...source, helm: set(source.helm ?? {}, value) });

const parameters = (forceString: boolean, flag: string) =>
  inHelm((helm, texts: readonly string[]) => ({
    ...helm,
    parameters: mergeByName(
      helm.parameters ?? [],
      texts.map((text) => {
        const [name, value] = pairOf(text, flag);
        return { name, value, ...(forceString && { forceString }) };
      }),
    ),
  }));

/** Settings for Helm. */
export const helmFlags: Flags<Source> = {
  values: listFlag(
    'Value file; may be repeated',
    inHelm((helm, valueFiles) => ({ ...helm, valueFiles })),
  ),
  ignoreMissingValueFiles: switchFlag(
    'Leave out value files that do not exist',
    inHelm((helm, ignoreMissingValueFiles) => ({ ...helm, ignoreMissingValueFiles })),
  ),
  valuesLiteralFile: textFlag(
    'File with inline values; "-" for standard input',
    inHelm((helm, values) => ({ ...helm, values })),
  ),
  releaseName: textFlag(
    'Release name',
    inHelm((helm, releaseName) => ({ ...helm, releaseName })),
  ),
  helmVersion: textFlag(
    'Ignored: there is one Helm version',
    inHelm((helm, version) => ({ ...helm, version })),
  ),
  helmPassCredentials: switchFlag(
    'Send credentials to all domains',
    inHelm((helm, passCredentials) => ({ ...helm, passCredentials })),
  ),
  parameter: listFlag('Value, name=value; may be repeated', parameters(false, 'parameter'), 'p'),
  helmSet: listFlag('Value, name=value; may be repeated', parameters(false, 'helm-set')),
  helmSetString: listFlag('Value that stays a string, name=value', parameters(true, 'helm-set-string')),
  helmSetFile: listFlag(
    'Value from a file, name=path',
    inHelm((helm, texts) => ({
      ...helm,
      fileParameters: mergeByName(
        helm.fileParameters ?? [],
        texts.map((text) => {
          const [name, path] = pairOf(text, 'helm-set-file');
          return { name, path };
        }),
      ),
    })),
  ),
  helmSkipCrds: switchFlag(
    "Leave out the chart's crds folder",
    inHelm((helm, skipCrds) => ({ ...helm, skipCrds })),
  ),
  helmSkipSchemaValidation: switchFlag(
    'Do not check the values',
    inHelm((helm, skipSchemaValidation) => ({ ...helm, skipSchemaValidation })),
  ),
  helmSkipTests: switchFlag(
    'Leave out test hooks',
    inHelm((helm, skipTests) => ({ ...helm, skipTests })),
  ),
  helmNamespace: textFlag(
    'Namespace that the chart sees',
    inHelm((helm, namespace) => ({ ...helm, namespace })),
  ),
  helmKubeVersion: textFlag(
    'Kubernetes version that the chart sees',
    inHelm((helm, kubeVersion) => ({ ...helm, kubeVersion })),
  ),
  helmApiVersions: listFlag(
    'API version that the chart sees',
    inHelm((helm, apiVersions) => ({ ...helm, apiVersions })),
  ),
};

const inKustomize =
  <V>(set: (kustomize: KustomizeSource, value: V) => KustomizeSource) =>
  (source: Source, value: V): Source => ({ ...source, kustomize: set(source.kustomize ?? {}, value) });

/** The image that an override is for: what stands before `=`, or the name without tag and digest. */
export function imageName(text: string): string {
  const [left = ''] = text.split('=', 1);
  return left === text ? text.replace(/@.*$/, '').replace(/:[^:/]*$/, '') : left;
}

const withImages = (kustomize: KustomizeSource, images: readonly string[]): KustomizeSource => ({
  ...kustomize,
  images: mergeBy(imageName, kustomize.images ?? [], images),
});

const replicaOf = (text: string): { name: string; count: number | string } => {
  const [name, count] = pairOf(text, 'kustomize-replica');
  return { name, count: /^\d+$/.test(count) ? Number(count) : count };
};

/** Settings for Kustomize. */
export const kustomizeFlags: Flags<Source> = {
  nameprefix: textFlag(
    'Prefix of every name',
    inKustomize((kustomize, namePrefix) => ({ ...kustomize, namePrefix })),
  ),
  namesuffix: textFlag(
    'Suffix of every name',
    inKustomize((kustomize, nameSuffix) => ({ ...kustomize, nameSuffix })),
  ),
  kustomizeImage: listFlag('Image override, [old=]new[:tag]; may be repeated', inKustomize(withImages)),
  kustomizeReplica: listFlag(
    'Replica count, name=count; may be repeated',
    inKustomize((kustomize, texts) => ({
      ...kustomize,
      replicas: mergeByName(kustomize.replicas ?? [], texts.map(replicaOf)),
    })),
  ),
  kustomizeVersion: textFlag(
    'Name of a configured version',
    inKustomize((kustomize, version) => ({ ...kustomize, version })),
  ),
  kustomizeNamespace: textFlag(
    'Namespace for every object',
    inKustomize((kustomize, namespace) => ({ ...kustomize, namespace })),
  ),
  kustomizeCommonLabel: listFlag(
    'Label for every object, name=value',
    inKustomize((kustomize, texts) => ({ ...kustomize, commonLabels: mapOf(texts, 'kustomize-common-label') })),
  ),
  kustomizeCommonAnnotation: listFlag(
    'Annotation for every object, name=value',
    inKustomize((kustomize, texts) => ({
      ...kustomize,
      commonAnnotations: mapOf(texts, 'kustomize-common-annotation'),
    })),
  ),
  kustomizeForceCommonLabel: switchFlag(
    'Replace labels that are there',
    inKustomize((kustomize, forceCommonLabels) => ({ ...kustomize, forceCommonLabels })),
  ),
  kustomizeForceCommonAnnotation: switchFlag(
    'Replace annotations that are there',
    inKustomize((kustomize, forceCommonAnnotations) => ({ ...kustomize, forceCommonAnnotations })),
  ),
  kustomizeLabelWithoutSelector: switchFlag(
    'No common labels on selectors',
    inKustomize((kustomize, labelWithoutSelector) => ({ ...kustomize, labelWithoutSelector })),
  ),
  kustomizeLabelIncludeTemplates: switchFlag(
    'Common labels on pod templates',
    inKustomize((kustomize, labelIncludeTemplates) => ({ ...kustomize, labelIncludeTemplates })),
  ),
  ignoreMissingComponents: switchFlag(
    'Leave out components that do not exist',
    inKustomize((kustomize, ignoreMissingComponents) => ({ ...kustomize, ignoreMissingComponents })),
  ),
  kustomizeKubeVersion: textFlag(
    'Kubernetes version for inflated charts',
    inKustomize((kustomize, kubeVersion) => ({ ...kustomize, kubeVersion })),
  ),
  kustomizeApiVersions: listFlag(
    'API version for inflated charts',
    inKustomize((kustomize, apiVersions) => ({ ...kustomize, apiVersions })),
  ),
};

const inDirectory =
  <V>(set: (directory: DirectorySource, value: V) => DirectorySource) =>
  (source: Source, value: V): Source => ({ ...source, directory: set(source.directory ?? {}, value) });

const inJsonnet = (set: (jsonnet: JsonnetSource, texts: readonly string[]) => JsonnetSource) =>
  inDirectory((directory, texts: readonly string[]) => ({
    ...directory,
    jsonnet: set(directory.jsonnet ?? {}, texts),
  }));

const variables = (field: 'extVars' | 'tlas', code: boolean, flag: string) =>
  inJsonnet((jsonnet, texts) => {
    const more = texts.map((text) => {
      const [name, value] = pairOf(text, flag);
      return { name, value, ...(code && { code }) };
    });
    return { ...jsonnet, [field]: mergeByName(jsonnet[field] ?? [], more) };
  });

/** Settings for folders of plain manifests. */
export const directoryFlags: Flags<Source> = {
  directoryRecurse: switchFlag(
    'Read sub-folders too',
    inDirectory((directory, recurse) => ({ ...directory, recurse })),
  ),
  directoryInclude: textFlag(
    'Glob of files to read',
    inDirectory((directory, include) => ({ ...directory, include })),
  ),
  directoryExclude: textFlag(
    'Glob of files to leave out',
    inDirectory((directory, exclude) => ({ ...directory, exclude })),
  ),
  directoryDisableExtensionFilter: switchFlag(
    'Files of any extension',
    inDirectory((directory, disableExtensionFilter) => ({ ...directory, disableExtensionFilter })),
  ),
  jsonnetExtVarStr: listFlag('External variable, name=value', variables('extVars', false, 'jsonnet-ext-var-str')),
  jsonnetExtVarCode: listFlag('External variable as code', variables('extVars', true, 'jsonnet-ext-var-code')),
  jsonnetTlaStr: listFlag('Top-level argument, name=value', variables('tlas', false, 'jsonnet-tla-str')),
  jsonnetTlaCode: listFlag('Top-level argument as code', variables('tlas', true, 'jsonnet-tla-code')),
  jsonnetLibs: listFlag(
    'Library folder',
    inJsonnet((jsonnet, libs) => ({ ...jsonnet, libs })),
  ),
};

const inPlugin =
  <V>(set: (plugin: PluginSource, value: V) => PluginSource) =>
  (source: Source, value: V): Source => ({ ...source, plugin: set(source.plugin ?? {}, value) });

const environmentOf = (texts: readonly string[]): readonly { name: string; value: string }[] =>
  Object.entries(mapOf(texts, 'plugin-env')).map(([name, value]) => ({ name, value }));

/** Settings for config management plugins. */
export const pluginFlags: Flags<Source> = {
  configManagementPlugin: textFlag(
    'Plugin name',
    inPlugin((plugin, name) => ({ ...plugin, name })),
  ),
  pluginEnv: listFlag(
    'Environment of the plugin, name=value',
    inPlugin((plugin, texts) => ({ ...plugin, env: mergeByName(plugin.env ?? [], environmentOf(texts)) })),
  ),
};
