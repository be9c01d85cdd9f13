import { formatApiVersion, type KubeObject } from '@tiphys/api';
import type { ResourceType } from '../schema/types.ts';
import type { OtherVersion } from '../patch/server-side-apply.ts';
import { resourceText } from './refusal.ts';
import { storageKey, type TypeRegistry } from './type-registry.ts';
import { defaultCustom } from '../schema/custom-default.ts';
import { autoscalerFromV1, autoscalerToV1 } from './kinds/autoscaler.ts';

/** `map` of an object from the form of one version into that of another. */
type Convert = (object: KubeObject) => KubeObject;

const eventNames: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];

const rename = (object: KubeObject, names: ReadonlyMap<string, string>): KubeObject => {
  const { apiVersion, kind, metadata, ...rest } = object;
  const renamed = Object.entries(rest).map(([key, value]) => [names.get(key) ?? key, value] as const);
  return { apiVersion, kind, metadata, ...Object.fromEntries(renamed) };
};

const eventsFromCore = new Map(eventNames.map(([core, events]) => [core, events]));
const eventsToCore = new Map(eventNames.map(([core, events]) => [events, core]));

const conversions: Readonly<Record<string, Readonly<{ read: Convert; write: Convert }>>> = {
  'horizontalpodautoscalers.autoscaling/v1': { read: autoscalerToV1, write: autoscalerFromV1 },
  'events.events.k8s.io/v1': {
    read: (object) => rename(object, eventsFromCore),
    write: (object) => rename(object, eventsToCore),
  },
};

const conversionOf = (type: ResourceType): (typeof conversions)[string] | undefined =>
  conversions[`${resourceText(type)}/${type.version}`];

/** A stored object in the form of the version that was asked for. Custom resources differ by apiVersion only (conversion None). */
export function fromStored(object: KubeObject, type: ResourceType): KubeObject {
  const apiVersion = formatApiVersion(type.group, type.version);
  if (object.apiVersion === apiVersion) return object;
  if (type.custom !== undefined) return { ...object, apiVersion };
  return { ...(conversionOf(type)?.read(object) ?? object), apiVersion };
}

/** An object of any version in the form in which the store keeps it. */
export function toStored(object: KubeObject, type: ResourceType, stored: ResourceType): KubeObject {
  const apiVersion = formatApiVersion(stored.group, stored.version);
  if (object.apiVersion === apiVersion) return object;
  // What is read from storage has the defaults of the version that it was stored in.
  if (type.custom !== undefined) return defaultCustom({ ...object, apiVersion }, stored);
  return { ...(conversionOf(type)?.write(object) ?? object), apiVersion };
}

/** How objects of a type look in the other versions of its kind; undefined for versions that look the same. */
export const otherVersions =
  (types: TypeRegistry, type: ResourceType) =>
  (apiVersion: string): OtherVersion | undefined => {
    const key = storageKey(type);
    const stored = types.stored(key);
    if (type.custom !== undefined || stored === undefined) return undefined;
    if (formatApiVersion(type.group, type.version) === apiVersion) return undefined;
    const isWanted = (one: ResourceType): boolean => formatApiVersion(one.group, one.version) === apiVersion;
    const other = types.all().find((one) => isWanted(one) && storageKey(one) === key);
    if (other === undefined) return undefined;
    return {
      schema: other.schema,
      there: (object) => fromStored(toStored(object, type, stored), other),
      back: (object) => fromStored(toStored(object, other, stored), type),
    };
  };
