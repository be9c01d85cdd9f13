import {
  flag,
  type Infer,
  int64,
  json,
  jsonObject,
  list,
  map,
  object,
  optional,
  required,
  text,
} from '../schema/schema.ts';
import { pullRequestFields, scmProviderFields } from './providers.ts';
import { labelSelector, templateOverride } from './template.ts';

const values = 'Further parameters, available as `values.<name>`.';
const override = 'Changes to the template for this generator.';
const interval = 'Seconds between two looks at the source.';

const listGenerator = object('ListGenerator', {
  elements: optional(1, list(jsonObject), 'One set of parameters each.'),
  template: optional(2, templateOverride, override),
  elementsYaml: optional(3, text, 'The elements as a YAML text that may hold parameters.'),
});

const clusterGenerator = object('ClusterGenerator', {
  selector: optional(1, labelSelector, 'Only clusters with these labels.'),
  template: optional(2, templateOverride, override),
  values: optional(3, map(text), values),
  flatList: optional(4, flag, 'One set of parameters with a list `clusters`.'),
});

const gitPath = object('GitPathItem', {
  path: required(1, text, 'Path, a glob.'),
  exclude: optional(2, flag, 'Leave out what matches.'),
});

const gitGenerator = object('GitGenerator', {
  repoURL: required(1, text, 'Repository.'),
  directories: optional(2, list(gitPath), 'One set of parameters for each folder that matches.'),
  files: optional(3, list(gitPath), 'One set of parameters for each file that matches.'),
  revision: optional(4, text, 'Branch, tag or commit.'),
  requeueAfterSeconds: optional(5, int64, interval),
  template: optional(6, templateOverride, override),
  pathParamPrefix: optional(7, text, 'Prefix of the `path` parameters.'),
  values: optional(8, map(text), values),
});

const scmProviderGenerator = object('SCMProviderGenerator', {
  ...scmProviderFields,
  requeueAfterSeconds: optional(9, int64, interval),
  template: optional(10, templateOverride, override),
  values: optional(11, map(text), values),
});

const pullRequestGenerator = object('PullRequestGenerator', {
  ...pullRequestFields,
  requeueAfterSeconds: optional(6, int64, interval),
  template: optional(7, templateOverride, override),
  values: optional(10, map(text), values),
});

const clusterDecisionGenerator = object('DuckTypeGenerator', {
  configMapRef: required(1, text, 'ConfigMap that describes the kind of the decisions.'),
  name: optional(2, text, 'Name of the decision.'),
  requeueAfterSeconds: optional(3, int64, interval),
  labelSelector: optional(4, labelSelector, 'Labels of the decisions.'),
  template: optional(5, templateOverride, override),
  values: optional(6, map(text), values),
});

const pluginConfigMapRef = object('PluginConfigMapRef', {
  name: required(1, text, 'ConfigMap with `token`, `baseUrl` and `requestTimeout`.'),
});

const pluginInput = object('PluginInput', { parameters: optional(1, map(json), 'Sent to the plugin.') });

const pluginGenerator = object('PluginGenerator', {
  configMapRef: required(1, pluginConfigMapRef, 'Where the plugin is.'),
  input: optional(2, pluginInput, 'What the plugin is asked.'),
  requeueAfterSeconds: optional(3, int64, interval),
  template: optional(4, templateOverride, override),
  values: optional(5, map(text), values),
});

const terminalFields = {
  list: optional(1, listGenerator, 'A list of elements.'),
  clusters: optional(2, clusterGenerator, 'The registered clusters.'),
  git: optional(3, gitGenerator, 'Folders or files of a repository.'),
  scmProvider: optional(4, scmProviderGenerator, 'The repositories of an organization.'),
  clusterDecisionResource: optional(5, clusterDecisionGenerator, 'Decisions that another controller writes.'),
  pullRequest: optional(6, pullRequestGenerator, 'The open pull requests of a repository.'),
};

const selector = 'Only parameters that match.';

// On the wire the innermost generators number plugin and selector otherwise than the outer ones do.
const terminalGenerator = object('ApplicationSetTerminalGenerator', {
  ...terminalFields,
  plugin: optional(7, pluginGenerator, 'A plugin.'),
  selector: optional(8, labelSelector, selector),
});

const innerMatrix = object('NestedMatrixGenerator', {
  generators: required(1, list(terminalGenerator), 'Two generators.'),
});

const innerMerge = object('NestedMergeGenerator', {
  generators: required(1, list(terminalGenerator), 'Two or more generators.'),
  mergeKeys: required(2, list(text), 'Parameters by which sets are matched.'),
});

// Matrix and merge may hold each other one level deep (contract 6.2).
const nestedGenerator = object('ApplicationSetNestedGenerator', {
  ...terminalFields,
  matrix: optional(7, innerMatrix, 'All pairs of two generators.'),
  merge: optional(8, innerMerge, 'Sets of parameters that complete each other.'),
  selector: optional(9, labelSelector, selector),
  plugin: optional(10, pluginGenerator, 'A plugin.'),
});

const matrixGenerator = object('MatrixGenerator', {
  generators: required(1, list(nestedGenerator), 'Two generators; the second may use parameters of the first.'),
  template: optional(2, templateOverride, override),
});

const mergeGenerator = object('MergeGenerator', {
  generators: required(1, list(nestedGenerator), 'Two or more generators; later ones win.'),
  mergeKeys: required(2, list(text), 'Parameters by which sets are matched.'),
  template: optional(3, templateOverride, override),
});

/** One generator of parameters: exactly one of its fields says which (contract 6.2). */
export const generator = object('ApplicationSetGenerator', {
  ...terminalFields,
  matrix: optional(7, matrixGenerator, 'All pairs of two generators.'),
  merge: optional(8, mergeGenerator, 'Sets of parameters that complete each other.'),
  selector: optional(9, labelSelector, selector),
  plugin: optional(10, pluginGenerator, 'A plugin.'),
});

export type ApplicationSetGenerator = Infer<typeof generator>;
export type ApplicationSetNestedGenerator = Infer<typeof nestedGenerator>;
