import { formatApiVersion, type KubeObject } from '@tiphys/api';
import { builtInResources } from '../schema/built-in.ts';
import { fromDefinition } from '../schema/custom.ts';
import type { ResourceType } from '../schema/types.ts';
import { resourceText } from './refusal.ts';

const pathText = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;

/** Resources that two API groups show; the store keeps them under the first. */
const storedElsewhere: Readonly<Record<string, string>> = { 'events.events.k8s.io': 'events' };

/** The version in which the store keeps a resource with several (the others are converted on the way). */
const storageVersions: Readonly<Record<string, string>> = { 'horizontalpodautoscalers.autoscaling': 'v2' };

/** The name under which the store keeps the objects of a type. */
export const storageKey = (type: Pick<ResourceType, 'group' | 'plural'>): string => {
  const text = resourceText(type);
  return storedElsewhere[text] ?? text;
};

/** Everything that is served: the built-in resources and those of the custom resource definitions. */
export class TypeRegistry {
  readonly #byPath = new Map<string, ResourceType>();
  readonly #byStorage = new Map<string, ResourceType>();
  readonly #custom = new Map<string, readonly ResourceType[]>();
  #all: readonly ResourceType[] = builtInResources;
  /** What was worked out from the types as they are now. */
  #derived = new Map<string, unknown>();

  constructor() {
    this.#index();
  }

  /** Every type, built-in ones first. */
  all(): readonly ResourceType[] {
    return this.#all;
  }

  /** The type behind a path. */
  at(group: string, version: string, plural: string): ResourceType | undefined {
    return this.#byPath.get(pathText(group, version, plural));
  }

  /** The type of objects with this apiVersion and kind. */
  ofKind({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): ResourceType | undefined {
    return this.#all.find((type) => type.kind === kind && formatApiVersion(type.group, type.version) === apiVersion);
  }

  /** Whether anything is served in a group and version. */
  serves(group: string, version: string): boolean {
    return this.#all.some((type) => type.group === group && type.version === version);
  }

  /** The type in which the store keeps a resource. */
  stored(resource: string): ResourceType | undefined {
    return this.#byStorage.get(resource);
  }

  /** The resources of a definition that are served now; empty when it serves none. */
  ofDefinition(name: string): readonly ResourceType[] {
    return this.#custom.get(name) ?? [];
  }

  /** Serves what a definition declares, in place of what it declared before. */
  define(definition: KubeObject): void {
    this.#custom.set(definition.metadata.name ?? '', fromDefinition(definition));
    this.#index();
  }

  /** Serves a definition's resources no longer. */
  forget(definition: string): void {
    if (this.#custom.delete(definition)) this.#index();
  }

  /** What `make` gave for the types as they are now, made once. `make` must follow from the name alone. */
  derived<T>(name: string, make: () => T): T {
    // The name says what was stored under it, so what is found is a T.
    if (!this.#derived.has(name)) this.#derived.set(name, make());
    return this.#derived.get(name) as T;
  }

  #index(): void {
    this.#derived = new Map();
    this.#all = [...builtInResources, ...[...this.#custom.values()].flat()];
    this.#byPath.clear();
    this.#byStorage.clear();
    for (const type of this.#all) {
      this.#byPath.set(pathText(type.group, type.version, type.plural), type);
      const key = resourceText(type);
      const wanted = storageVersions[key];
      const isStorage = type.custom?.storage ?? (wanted === undefined || wanted === type.version);
      if (isStorage || !this.#byStorage.has(key)) this.#byStorage.set(key, type);
    }
  }
}
