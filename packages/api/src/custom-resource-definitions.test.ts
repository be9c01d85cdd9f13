import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { customResourceDefinition, ownKinds } from './custom-resource-definitions.ts';
import { canonicalJson } from './json.ts';
import { at, isRecord } from './object.ts';
import { restSchemas } from './schema/openapi.ts';

const schemaOf = (kind: string): unknown => {
  const own = ownKinds.find((candidate) => candidate.kind === kind);
  assert.ok(own);
  return at(customResourceDefinition(own), 'spec', 'versions', 0, 'schema', 'openAPIV3Schema');
};

/** Every schema in a schema, with its path. */
function* nested(schema: unknown, path = ''): Generator<{ path: string; schema: Record<string, unknown> }> {
  if (!isRecord(schema)) return;
  yield { path, schema };
  const { properties, items, additionalProperties } = schema;
  if (isRecord(properties))
    for (const [name, inner] of Object.entries(properties)) yield* nested(inner, `${path}.${name}`);
  yield* nested(items, `${path}[]`);
  yield* nested(additionalProperties, `${path}{}`);
}

describe('custom resource definitions', () => {
  for (const own of ownKinds) {
    test(`${own.kind} keeps unknown fields at every depth`, () => {
      for (const { path, schema } of nested(schemaOf(own.kind)))
        if (path !== '' && isRecord(schema['properties']))
          assert.equal(schema['x-kubernetes-preserve-unknown-fields'], true, path);
    });
    test(`${own.kind} fits into the annotation of a client-side apply`, () => {
      assert.ok(canonicalJson(customResourceDefinition(own)).length < 262_144);
    });
    test(`${own.kind}: one name, one object in the REST schemas`, () => {
      const schemas = restSchemas([own.schema]);
      assert.ok(own.kind in schemas);
      const names = new Map<string, unknown>();
      const walk = (node: typeof own.schema.node): void => {
        for (const field of node.fields.values()) {
          let inner = field.node;
          while (inner.kind === 'list' || inner.kind === 'map') inner = inner.of;
          if (inner.kind !== 'object') continue;
          assert.equal(names.get(inner.name) ?? inner, inner, `two objects are called ${inner.name}`);
          if (names.has(inner.name)) continue;
          names.set(inner.name, inner);
          walk(inner);
        }
      };
      walk(own.schema.node);
    });
  }

  test('spec.project is not required, spec.destination is', () => {
    assert.deepEqual(at(schemaOf('Application'), 'properties', 'spec', 'required'), ['destination']);
  });
  test('only an ApplicationSet has a status of its own', () => {
    assert.deepEqual(
      ownKinds.map((own) => at(customResourceDefinition(own), 'spec', 'versions', 0, 'subresources')),
      [undefined, { status: {} }, undefined],
    );
  });
  test('nothing is required in a status', () => {
    for (const { path, schema } of nested(at(schemaOf('Application'), 'properties', 'status')))
      assert.equal(schema['required'], undefined, path);
  });
});
