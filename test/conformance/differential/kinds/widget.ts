import { field, type TestedKind } from './field.ts';

/** A custom kind. */
export const widget: TestedKind = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
  custom: true,
  hasStatus: true,
  base: () => ({ spec: { size: 1 } }),
  fields: [
    field('spec.size', 0, 5, 11, 'large', null),
    field('spec.color', 'red', 'green', 'blue', ''),
    field(
      'spec.parts',
      [{ name: 'a' }],
      [
        { name: 'b', count: 2 },
        { name: 'a', count: 0 },
      ],
      [{ name: 'a' }, { name: 'a' }],
      [],
      null,
    ),
    field('spec.tags', ['x'], ['y', 'x'], ['x', 'x'], []),
    field('spec.steps', ['one', 'two'], ['two'], []),
    field('spec.settings', { mode: 'fast' }, {}, { mode: 'slow', level: 3 }),
    field('spec.free', { any: { thing: [1, 2] } }, { any: null }, {}),
    field('spec.port', 80, 'http', true),
    field('spec.unknown', 'x', 1),
    field('spec.atomic', { a: '1' }, { b: '2', a: '3' }),
    field('spec.limit', 3, 9),
    field('status', { ready: true }, { ready: false, phase: 'Done' }),
  ],
};

/** Its definition. */
export const widgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                'x-kubernetes-validations': [
                  { rule: '!has(self.limit) || self.size <= self.limit', message: 'size must not be above limit' },
                ],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 10 },
                  limit: { type: 'integer', default: 10 },
                  color: { type: 'string', enum: ['red', 'green'], default: 'red' },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, count: { type: 'integer', default: 1 } },
                    },
                  },
                  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                  steps: { type: 'array', items: { type: 'string' } },
                  settings: {
                    type: 'object',
                    properties: { mode: { type: 'string' }, level: { type: 'integer' } },
                  },
                  atomic: {
                    type: 'object',
                    'x-kubernetes-map-type': 'atomic',
                    additionalProperties: { type: 'string' },
                  },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  port: { 'x-kubernetes-int-or-string': true },
                },
              },
              status: { type: 'object', properties: { ready: { type: 'boolean' }, phase: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
};
