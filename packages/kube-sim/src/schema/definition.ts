import { isRecord, type KubeObject } from '@tiphys/api';
import { sameJson } from '../patch/same-json.ts';
import { Faults, itemsAt, partOf, textAt } from './validation/faults.ts';
import { dns1035Label, dnsLabel, dnsSubdomain } from './validation/text-forms.ts';
import type { FieldError } from './types.ts';

/** What is wrong with a CustomResourceDefinition beyond what its own schema says; with `old` also what may not change. */
export function validateDefinition(definition: KubeObject, old?: KubeObject): readonly FieldError[] {
  const faults = new Faults();
  const spec = partOf(definition, 'spec');
  const names = partOf(spec, 'names');
  const group = textAt(spec, 'group');
  const plural = textAt(names, 'plural');
  const { name = '' } = definition.metadata;
  if (old === undefined && name !== `${plural}.${group}`)
    faults.invalid('metadata.name', name, `must be spec.names.plural+"."+spec.group`);
  if (group === '') faults.required('spec.group');
  else {
    faults.malformed('spec.group', group, dnsSubdomain(group));
    if (!group.includes('.')) faults.invalid('spec.group', group, 'should be a domain with at least one dot');
  }
  const scopes = ['Cluster', 'Namespaced'];
  if (!scopes.includes(textAt(spec, 'scope'))) faults.unsupported('spec.scope', textAt(spec, 'scope'), scopes);
  checkNames(names, faults);
  checkVersions(spec, faults);
  if (old !== undefined) checkKept(definition, old, faults);
  return faults.errors;
}

const isEstablished = (definition: KubeObject): boolean =>
  itemsAt(definition['status'], 'conditions').some(
    (entry) => textAt(entry, 'type') === 'Established' && textAt(entry, 'status') === 'True',
  );

/** Objects are stored under group and plural; once some may exist, their kind and scope stay too. */
function checkKept(definition: KubeObject, old: KubeObject, faults: Faults): void {
  const [spec, before] = [partOf(definition, 'spec'), partOf(old, 'spec')];
  const [names, namesBefore] = [partOf(spec, 'names'), partOf(before, 'names')];
  const keep = (path: string, now: unknown, was: unknown): void => {
    if (!sameJson(now ?? null, was ?? null)) faults.invalid(path, now, 'field is immutable');
  };
  if (isEstablished(old)) {
    keep('spec.scope', spec['scope'], before['scope']);
    keep('spec.names.kind', names['kind'], namesBefore['kind']);
  }
  keep('spec.group', spec['group'], before['group']);
  keep('spec.names.plural', names['plural'], namesBefore['plural']);
  const declared = itemsAt(spec, 'versions').map((version) => textAt(version, 'name'));
  for (const [index, version] of itemsAt(old['status'], 'storedVersions').entries())
    if (typeof version === 'string' && !declared.includes(version))
      faults.invalid(
        `status.storedVersions[${index}]`,
        version,
        `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
      );
}

function checkNames(names: Record<string, unknown>, faults: Faults): void {
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    const value = textAt(names, field);
    if (value === '') faults.required(`spec.names.${field}`);
    else faults.malformed(`spec.names.${field}`, value, dns1035Label(value.toLowerCase()));
  }
  if (textAt(names, 'kind') !== '' && names['kind'] === names['listKind'])
    faults.invalid('spec.names.listKind', names['listKind'], 'kind and listKind may not be the same');
  for (const [index, short] of itemsAt(names, 'shortNames').entries())
    if (typeof short === 'string') faults.malformed(`spec.names.shortNames[${index}]`, short, dns1035Label(short));
}

function checkVersions(spec: Record<string, unknown>, faults: Faults): void {
  const versions = itemsAt(spec, 'versions');
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const name = textAt(version, 'name');
    faults.malformed(`${path}.name`, name, dnsLabel(name));
    if (seen.has(name)) faults.duplicate(`${path}.name`, name);
    seen.add(name);
    const schema = partOf(version, 'schema')['openAPIV3Schema'];
    if (isRecord(schema)) checkRoot(schema, `${path}.schema.openAPIV3Schema`, faults);
    else faults.required(`${path}.schema.openAPIV3Schema`, 'schemas are required');
  }
  const storage = versions.filter((version) => isRecord(version) && version['storage'] === true).length;
  if (storage !== 1)
    faults.invalid('spec.versions', versions, 'must have exactly one version marked as storage version');
}

function checkRoot(schema: Record<string, unknown>, path: string, faults: Faults): void {
  const type = textAt(schema, 'type');
  if (type === '') faults.required(`${path}.type`, 'must not be empty at the root');
  else if (type !== 'object') faults.invalid(`${path}.type`, type, 'must be object at the root');
  checkStructure(schema, { path, root: true }, faults);
}

type Place = Readonly<{ path: string; root: boolean }>;

/** A schema is structural: every field has a type, lists say what is in them, map lists by which keys. */
function checkStructure(schema: Record<string, unknown>, { path, root }: Place, faults: Faults): void {
  const type = textAt(schema, 'type');
  const free = schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true;
  if (type === '' && !free && !root) faults.required(`${path}.type`, 'must not be empty for specified object fields');
  if (type === 'array' && !isRecord(schema['items'])) faults.required(`${path}.items`, 'must be specified');
  if (schema['x-kubernetes-list-type'] === 'map' && itemsAt(schema, 'x-kubernetes-list-map-keys').length === 0)
    faults.required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map');
  if (isRecord(schema['properties']) && isRecord(schema['additionalProperties']))
    faults.forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive');
  for (const [key, child] of Object.entries(partOf(schema, 'properties')))
    if (isRecord(child)) checkStructure(child, { path: `${path}.properties[${key}]`, root: false }, faults);
  if (isRecord(schema['items'])) checkStructure(schema['items'], { path: `${path}.items`, root: false }, faults);
  if (isRecord(schema['additionalProperties']))
    checkStructure(schema['additionalProperties'], { path: `${path}.additionalProperties`, root: false }, faults);
}
