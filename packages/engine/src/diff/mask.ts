import {
  groupKindText,
  gvkOf,
  isRecord,
  openSecretFields,
  parseJson,
  stringifyJson,
  type KubeObject,
} from '@tiphys/api';
import { marks } from '../sync/marks.ts';

/** The shortest mask; each further distinct value of a key gets one more. */
const shortestMask = 8;

type Mask = (key: string, value: unknown) => string;

/** Masks of one object's forms: under one key equal values get equal masks, so that a change shows and nothing else does. */
function openMask(): Mask {
  const seen = new Map<string, string[]>();
  return (key, value) => {
    const text = stringifyJson(value);
    const values = seen.get(key) ?? [];
    seen.set(key, values);
    if (!values.includes(text)) values.push(text);
    return '+'.repeat(shortestMask + values.indexOf(text));
  };
}

/** Whether an object is a Secret; decided by what it is called in the API, not by what its text says of itself elsewhere. */
export const isSecret = (object: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean =>
  groupKindText(gvkOf(object)) === 'Secret';

const base64 = (text: unknown): unknown =>
  typeof text === 'string' ? Buffer.from(text, 'utf8').toString('base64') : text;

function maskFields(object: Readonly<Record<string, unknown>>, mask: Mask): Record<string, unknown> {
  const maskField = (field: string, value: unknown): unknown => {
    if (openSecretFields.has(field) || value === undefined || value === null) return value;
    if (!isRecord(value)) return mask(`field ${field}`, value);
    // stringData of a value gets the mask that its data would get.
    const form = field === 'stringData' ? base64 : (one: unknown): unknown => one;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mask(key, form(one))]));
  };
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [field, maskField(field, value)]));
}

function maskLastApplied(text: string, mask: Mask): string {
  try {
    const parsed = parseJson(text);
    if (isRecord(parsed)) return stringifyJson(maskFields(parsed, mask));
  } catch {
    // What cannot be read cannot be masked in part.
  }
  return '+'.repeat(shortestMask);
}

function maskObject(object: KubeObject, mask: Mask, sensitive: readonly string[]): KubeObject {
  const masked = maskFields(object, mask);
  const { annotations } = object.metadata;
  if (annotations === undefined) return { ...object, ...masked };
  const kept = Object.entries(annotations).map(([key, value]) => {
    if (key === marks.lastApplied) return [key, maskLastApplied(value, mask)] as const;
    return [key, sensitive.includes(key) ? mask(`annotation ${key}`, value) : value] as const;
  });
  return { ...object, ...masked, metadata: { ...object.metadata, annotations: Object.fromEntries(kept) } };
}

/**
 * The forms of one object (desired, live, predicted) with the values of a Secret replaced by runs of `+`: equal values equal
 * runs, over all forms and the last-applied annotation (contract 4). Objects of other kinds come back as they are, so pass
 * everything that is shown through here. Forms that are undefined stay so.
 * @param sensitiveAnnotations `resource.sensitive.mask.annotations`
 */
export function maskSecrets<Form extends KubeObject | undefined>(
  forms: readonly Form[],
  sensitiveAnnotations: readonly string[] = [],
): readonly Form[] {
  const mask = openMask();
  // A masked Secret has the form that it had.
  return forms.map((form) =>
    form !== undefined && isSecret(form) ? (maskObject(form, mask, sensitiveAnnotations) as Form) : form,
  );
}
