/**
 * One node of a resource's schema: the facts of OpenAPI that serving an object needs. Built-in kinds refer to each
 * other by `ref` (see resolveSchema in built-in.ts); schemas of custom resources are written out in full.
 */
export type TypeSchema = Readonly<{
  /** Of custom resources only; `kubectl explain` shows it. */
  description?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  properties?: Readonly<Record<string, TypeSchema>>;
  /** The values of a map. */
  additionalProperties?: TypeSchema;
  items?: TypeSchema;
  /** Name of another built-in schema; the other fields of this node then only add to it. */
  ref?: string;
  required?: readonly string[];
  default?: unknown;
  /**
   * Built-in kinds: what becomes of a field whose value is zero (absent, null, false, 0, "", empty). `omit`: it is left
   * out; `write`: the zero value is written; `null`: null is written. Absent: a pointer, kept as given and never null.
   */
  zero?: 'omit' | 'write' | 'null';
  enum?: readonly unknown[];
  listType?: 'atomic' | 'set' | 'map';
  listMapKeys?: readonly string[];
  mapType?: 'atomic' | 'granular';
  /** Strategic merge: `merge`, `replace`, `retainKeys`, or two of them joined by a comma. */
  patchStrategy?: string;
  patchMergeKey?: string;
  preserveUnknown?: boolean;
  intOrString?: boolean;
  embedded?: boolean;
  nullable?: boolean;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: readonly TypeSchema[];
  anyOf?: readonly TypeSchema[];
  oneOf?: readonly TypeSchema[];
  not?: TypeSchema;
  /** CEL rules (x-kubernetes-validations). */
  rules?: readonly ValidationRule[];
}>;

/** One rule of x-kubernetes-validations. */
export type ValidationRule = Readonly<{
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}>;

/** What a subresource takes and gives, and its verbs, as discovery says it. */
export type SubresourceType = Readonly<{ group: string; version: string; kind: string; verbs: readonly string[] }>;

/** A printer column of a custom resource (additionalPrinterColumns). */
export type PrinterColumn = Readonly<{
  name: string;
  type: string;
  jsonPath: string;
  format?: string;
  description?: string;
  priority?: number;
}>;

/** One version of one resource that the server serves. */
export type ResourceType = Readonly<{
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
  categories: readonly string[];
  /** Names only: `status`, `scale`, `log`, ... */
  subresources: readonly string[];
  /** The same, with kind and verbs. */
  subresourceTypes: Readonly<Record<string, SubresourceType>>;
  /** Undefined where nothing is known about the fields: then everything is accepted. */
  schema: TypeSchema | undefined;
  columns?: readonly PrinterColumn[];
  /** Set for custom resources. */
  custom?: CustomTraits;
}>;

/** What only resources of a CustomResourceDefinition have. */
export type CustomTraits = Readonly<{
  /** The name of the CustomResourceDefinition. */
  definition: string;
  storage: boolean;
  deprecated: boolean;
  deprecationWarning?: string;
  /** Paths of the scale subresource. */
  scale?: Readonly<{ specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }>;
  selectableFields: readonly string[];
}>;

/** Why a field was refused: the `reason` of a StatusCause. */
export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

/**
 * One refused field. `detail` is the text without the path (the `message` of a StatusCause, whose `field` is `path`);
 * `message` is `path: detail`, as it stands in the Status message.
 */
export type FieldError = Readonly<{ path: string; reason: FieldErrorReason; detail: string; message: string }>;
