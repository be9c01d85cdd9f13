import {
  flag,
  type Infer,
  intOrText,
  jsonObject,
  list,
  map,
  object,
  optional,
  required,
  text,
} from '../schema/schema.ts';

const helmParameter = object('HelmParameter', {
  name: optional(1, text, 'Path of the value that is set, in the notation of `helm --set`.'),
  value: optional(2, text, 'The value.'),
  forceString: optional(3, flag, 'Keep the value a string (`--set-string`).'),
});

const helmFileParameter = object('HelmFileParameter', {
  name: optional(1, text, 'Path of the value that is set.'),
  path: optional(2, text, 'File in the repository whose content becomes the value (`--set-file`).'),
});

const helm = object('ApplicationSourceHelm', {
  valueFiles: optional(1, list(text), 'Value files, later ones win; `$ref/...` reads from the source named ref.'),
  parameters: optional(2, list(helmParameter), 'Single values; they win over files and inline values.'),
  releaseName: optional(3, text, "Release name; default: the application's name."),
  values: optional(4, text, 'Inline values, a YAML text; wins over the value files.'),
  fileParameters: optional(5, list(helmFileParameter), 'Values read from files.'),
  version: optional(6, text, 'Ignored: there is one Helm version.'),
  passCredentials: optional(7, flag, 'Send repository credentials to all domains.'),
  ignoreMissingValueFiles: optional(8, flag, 'Leave out value files that do not exist.'),
  skipCrds: optional(9, flag, "Leave out the chart's `crds/` folder."),
  valuesObject: optional(10, jsonObject, 'Inline values as an object; wins over `values`.'),
  namespace: optional(11, text, 'Namespace that the chart sees; default: the destination namespace.'),
  kubeVersion: optional(12, text, 'Kubernetes version that the chart sees; default: that of the destination.'),
  apiVersions: optional(13, list(text), 'API versions that the chart sees; default: those of the destination.'),
  skipTests: optional(14, flag, 'Leave out test hooks.'),
  skipSchemaValidation: optional(15, flag, 'Do not check the values against `values.schema.json`.'),
});

const kustomizeReplica = object('KustomizeReplica', {
  name: required(1, text, 'Name of the workload.'),
  count: required(2, intOrText, 'Number of replicas.'),
});

// The group, version, kind, name and namespace lie in a nested message on the wire; in JSON they are fields of the selector.
const kustomizeSelector = object('KustomizeSelector', {
  group: optional(undefined, text, 'API group.'),
  version: optional(undefined, text, 'API version.'),
  kind: optional(undefined, text, 'Kind.'),
  name: optional(undefined, text, 'Name, a regular expression.'),
  namespace: optional(undefined, text, 'Namespace, a regular expression.'),
  annotationSelector: optional(2, text, 'Annotation selector.'),
  labelSelector: optional(3, text, 'Label selector.'),
});

const kustomizePatch = object('KustomizePatch', {
  path: optional(1, text, 'File with the patch.'),
  patch: optional(2, text, 'The patch itself: a strategic merge patch or a JSON 6902 patch.'),
  target: optional(3, kustomizeSelector, 'Objects that the patch is for.'),
  options: optional(4, map(flag), 'Options of kustomize, such as `allowNameChange`.'),
});

const kustomize = object('ApplicationSourceKustomize', {
  namePrefix: optional(1, text, 'Prefix of every name.'),
  nameSuffix: optional(2, text, 'Suffix of every name.'),
  images: optional(3, list(text), 'Image overrides: `[old=]new[:tag|@digest]`.'),
  commonLabels: optional(4, map(text), 'Labels for every object.'),
  version: optional(5, text, 'Name of a configured kustomize version.'),
  commonAnnotations: optional(6, map(text), 'Annotations for every object.'),
  forceCommonLabels: optional(7, flag, 'Replace labels that are already there.'),
  forceCommonAnnotations: optional(8, flag, 'Replace annotations that are already there.'),
  namespace: optional(9, text, 'Namespace for every object.'),
  commonAnnotationsEnvsubst: optional(10, flag, 'Fill in build environment variables in annotation values.'),
  replicas: optional(11, list(kustomizeReplica), 'Replica counts.'),
  patches: optional(12, list(kustomizePatch), 'Patches.'),
  components: optional(13, list(text), 'Components to add.'),
  labelWithoutSelector: optional(14, flag, 'Put common labels on objects but not on selectors.'),
  kubeVersion: optional(15, text, 'Kubernetes version for charts that kustomize inflates.'),
  apiVersions: optional(16, list(text), 'API versions for charts that kustomize inflates.'),
  ignoreMissingComponents: optional(17, flag, 'Leave out components that do not exist.'),
  labelIncludeTemplates: optional(18, flag, 'Put common labels on pod templates too.'),
});

const jsonnetVariable = object('JsonnetVar', {
  name: required(1, text, 'Name of the variable.'),
  value: required(2, text, 'Value: a string, or code.'),
  code: optional(3, flag, 'The value is Jsonnet code.'),
});

const jsonnet = object('ApplicationSourceJsonnet', {
  extVars: optional(1, list(jsonnetVariable), 'External variables.'),
  tlas: optional(2, list(jsonnetVariable), 'Top-level arguments.'),
  libs: optional(3, list(text), 'Library folders.'),
});

const directory = object('ApplicationSourceDirectory', {
  recurse: optional(1, flag, 'Read sub-folders too.'),
  jsonnet: optional(2, jsonnet, 'Settings for `.jsonnet` files.'),
  exclude: optional(3, text, 'Glob of files to leave out.'),
  include: optional(4, text, 'Glob of files to read.'),
  disableExtensionFilter: optional(5, flag, 'Read files of any extension that match `include`.'),
});

const environmentEntry = object('EnvEntry', {
  name: required(1, text, 'Name of the variable.'),
  value: required(2, text, 'Value; build environment variables are filled in.'),
});

const pluginParameter = object('ApplicationSourcePluginParameter', {
  name: optional(1, text, 'Name of the parameter.'),
  map: optional(3, map(text), 'Value of a map parameter.'),
  array: optional(4, list(text), 'Value of a list parameter.'),
  string: optional(5, text, 'Value of a string parameter.'),
});

const plugin = object('ApplicationSourcePlugin', {
  name: optional(1, text, 'Plugin name; empty: found by discovery.'),
  env: optional(2, list(environmentEntry), 'Environment of the plugin.'),
  parameters: optional(3, list(pluginParameter), 'Parameters of the plugin.'),
});

/** Where desired manifests come from, and how they are rendered (contract 1.2). */
export const applicationSource = object('ApplicationSource', {
  repoURL: required(1, text, 'URL of the Git repository or chart repository.'),
  path: optional(2, text, 'Folder in the Git repository.'),
  targetRevision: optional(4, text, 'Branch, tag, commit or version range; default HEAD.'),
  helm: optional(7, helm, 'Settings for Helm.'),
  kustomize: optional(8, kustomize, 'Settings for Kustomize.'),
  directory: optional(10, directory, 'Settings for a folder of plain manifests.'),
  plugin: optional(11, plugin, 'Settings for a config management plugin.'),
  chart: optional(12, text, 'Name of the chart; for chart repositories.'),
  ref: optional(13, text, 'Name by which other sources read files of this one (`$name/...`).'),
  name: optional(14, text, 'Label of this source in command line and UI.'),
  tagPrefix: optional(15, text, 'Version ranges look only at tags with this prefix.'),
});

/** Where a hydrated application's manifests come from before they are rendered. */
export const drySource = object('DrySource', {
  repoURL: required(1, text, 'URL of the Git repository.'),
  targetRevision: required(2, text, 'Branch, tag or commit.'),
  path: required(3, text, 'Folder in the repository.'),
  helm: optional(4, helm, 'Settings for Helm.'),
  kustomize: optional(5, kustomize, 'Settings for Kustomize.'),
  directory: optional(6, directory, 'Settings for a folder of plain manifests.'),
  plugin: optional(7, plugin, 'Settings for a config management plugin.'),
});

export type ApplicationSource = Infer<typeof applicationSource>;
export type HelmSource = Infer<typeof helm>;
export type HelmParameter = Infer<typeof helmParameter>;
export type KustomizeSource = Infer<typeof kustomize>;
export type KustomizePatch = Infer<typeof kustomizePatch>;
export type DirectorySource = Infer<typeof directory>;
export type JsonnetSource = Infer<typeof jsonnet>;
export type PluginSource = Infer<typeof plugin>;
export type DrySource = Infer<typeof drySource>;
