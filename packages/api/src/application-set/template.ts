import { applicationSpec } from '../application/spec.ts';
import { choice, type Infer, list, map, object, optional, partial, required, text } from '../schema/schema.ts';

const labelRequirement = object('LabelSelectorRequirement', {
  key: required(1, text, 'Label.'),
  operator: required(2, choice('In', 'NotIn', 'Exists', 'DoesNotExist'), 'Comparison.'),
  values: optional(3, list(text), 'Values.'),
});

/** metav1.LabelSelector. */
export const labelSelector = object('LabelSelector', {
  matchLabels: optional(1, map(text), 'Labels that must have these values.'),
  matchExpressions: optional(2, list(labelRequirement), 'Further conditions; all must hold.'),
});

const templateMetadata = object('ApplicationSetTemplateMeta', {
  name: optional(1, text, 'Name of the application.'),
  namespace: optional(2, text, "Overwritten with the set's own namespace."),
  labels: optional(3, map(text), 'Labels.'),
  annotations: optional(4, map(text), 'Annotations.'),
  finalizers: optional(5, list(text), 'Finalizers.'),
});

/** The application that is made for each set of parameters. */
export const applicationSetTemplate = object('ApplicationSetTemplate', {
  metadata: required(1, templateMetadata, 'Metadata.'),
  spec: required(2, applicationSpec, 'Specification.'),
});

/** What one generator changes in the template; every field may be left out. */
export const templateOverride = object('ApplicationSetTemplateOverride', {
  metadata: optional(1, templateMetadata, 'Metadata.'),
  spec: optional(2, partial('ApplicationSpecOverride', applicationSpec), 'Specification.'),
});

export type ApplicationSetTemplate = Infer<typeof applicationSetTemplate>;
export type ApplicationSetTemplateOverride = Infer<typeof templateOverride>;
