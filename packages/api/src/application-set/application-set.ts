import { applicationApiVersion } from '../application/application.ts';
import { healthStatus, resourceStatus } from '../application/status.ts';
import { objectMeta } from '../schema/metadata.ts';
import {
  choice,
  flag,
  type Infer,
  int64,
  intOrText,
  list,
  object,
  optional,
  required,
  text,
  time,
} from '../schema/schema.ts';
import { generator } from './generators.ts';
import { applicationSetTemplate } from './template.ts';

const syncPolicy = object('ApplicationSetSyncPolicy', {
  preserveResourcesOnDeletion: optional(1, flag, 'Keep the objects of an application that goes.'),
  applicationsSync: optional(
    2,
    choice('create-only', 'create-update', 'create-delete', 'sync'),
    'What may be done to the generated applications; default `sync`.',
  ),
});

const matchExpression = object('ApplicationMatchExpression', {
  key: required(1, text, 'Label of the application.'),
  operator: required(2, choice('In', 'NotIn'), 'Comparison.'),
  values: optional(3, list(text), 'Values.'),
});

const rolloutStep = object('ApplicationSetRolloutStep', {
  matchExpressions: optional(1, list(matchExpression), 'Applications of this step.'),
  maxUpdate: optional(2, intOrText, 'How many at a time: a number or a percentage; 0: never.'),
});

const rollingSync = object('ApplicationSetRolloutStrategy', {
  steps: optional(1, list(rolloutStep), 'Steps, one after the other.'),
});

const strategy = object('ApplicationSetStrategy', {
  type: optional(1, text, '`AllAtOnce` (default) or `RollingSync`.'),
  rollingSync: optional(2, rollingSync, 'Steps of a rolling sync.'),
  deletionOrder: optional(3, text, '`AllAtOnce` (default) or `Reverse`.'),
});

const preservedFields = object('ApplicationPreservedFields', {
  annotations: optional(1, list(text), 'Annotations that are left as they are.'),
  labels: optional(2, list(text), 'Labels that are left as they are.'),
});

const ignoreDifferences = object('ApplicationSetResourceIgnoreDifferences', {
  name: optional(1, text, 'Application; empty: all.'),
  jsonPointers: optional(2, list(text), 'JSON pointers of fields that are left as they are.'),
  jqPathExpressions: optional(3, list(text), 'jq paths of fields that are left as they are.'),
});

const applicationSetSpec = object('ApplicationSetSpec', {
  goTemplate: optional(1, flag, 'Go templates instead of the simple ones.'),
  generators: required(2, list(generator), 'Where parameters come from.'),
  template: required(3, applicationSetTemplate, 'The application made for each set of parameters.'),
  syncPolicy: optional(4, syncPolicy, 'What may be done to the applications.'),
  strategy: optional(5, strategy, 'In which order applications are updated.'),
  preservedFields: optional(6, preservedFields, 'Annotations and labels that are left as they are.'),
  goTemplateOptions: optional(7, list(text), 'Such as `missingkey=error`.'),
  applyNestedSelectors: optional(8, flag, 'Ignored: nested selectors always apply.'),
  ignoreApplicationDifferences: optional(9, list(ignoreDifferences), 'Fields that are left as they are.'),
  templatePatch: optional(10, text, 'A template whose result is merged over the application.'),
});

const condition = object('ApplicationSetCondition', {
  type: required(1, text, 'Such as `ErrorOccurred`.'),
  message: required(2, text, 'What is the matter.'),
  lastTransitionTime: optional(3, time, 'Since when.'),
  status: required(4, text, '`True`, `False` or `Unknown`.'),
  reason: required(5, text, 'Why, as one word.'),
});

const applicationSetApplicationStatus = object('ApplicationSetApplicationStatus', {
  application: required(1, text, 'Name of the application.'),
  lastTransitionTime: optional(2, time, 'Since when.'),
  message: required(3, text, 'One sentence about it.'),
  status: required(4, text, '`Waiting`, `Pending`, `Progressing` or `Healthy`.'),
  step: required(5, text, 'Its step.'),
  targetRevisions: optional(6, list(text), 'Revisions that it goes to.'),
});

const applicationSetStatus = object('ApplicationSetStatus', {
  conditions: optional(1, list(condition), 'Conditions.'),
  applicationStatus: optional(2, list(applicationSetApplicationStatus), 'How far each application is.'),
  resources: optional(3, list(resourceStatus), 'The generated applications.'),
  resourcesCount: optional(4, int64, 'How many there are.'),
  health: optional(5, healthStatus, 'Health, from the conditions.'),
});

/** A recipe for applications (contract 6). */
export const applicationSetSchema = object('ApplicationSet', {
  apiVersion: required(undefined, choice(applicationApiVersion), 'API version.'),
  kind: required(undefined, choice('ApplicationSet'), 'Kind.'),
  metadata: required(1, objectMeta, 'Metadata.'),
  spec: required(2, applicationSetSpec, 'The recipe.'),
  status: optional(3, applicationSetStatus, 'What the controller found.'),
});

export type ApplicationSet = Infer<typeof applicationSetSchema>;
export type ApplicationSetSpec = Infer<typeof applicationSetSpec>;
export type ApplicationSetStatus = Infer<typeof applicationSetStatus>;
