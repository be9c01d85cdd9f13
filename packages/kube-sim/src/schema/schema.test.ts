import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, canonicalJson, type KubeObject } from '@tiphys/api';
import { builtInResources, resolveSchema } from './built-in.ts';
import { compareVersions, fromDefinition, validateDefinition } from './custom.ts';
import { applyDefaults } from './default.ts';
import { pullPolicyOf } from './default-rules.ts';
import { checkDecodable, pruneUnknown } from './prune.ts';
import { invalid } from './status-error.ts';
import { builtIn, customType } from './testing-types.ts';
import { validate } from './validate.ts';

const read = (object: KubeObject, kind = object.kind): KubeObject => {
  const type = builtIn(kind);
  return applyDefaults(pruneUnknown(object, type).object, type);
};

const deployment = (spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'n' },
  spec: {
    selector: { matchLabels: { app: 'x' } },
    template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
    ...spec,
  },
});

const messages = (object: KubeObject, old?: KubeObject): string[] =>
  validate(object, builtIn(object.kind), { ...(old !== undefined && { old }) }).map((error) => error.message);

test('the tables know every resource, its scope, short names and subresources', () => {
  assert.equal(builtInResources.length, 66);
  const pods = builtIn('Pod');
  assert.deepEqual([pods.plural, pods.shortNames, pods.namespaced], ['pods', ['po'], true]);
  assert.ok(pods.subresources.includes('eviction'));
  assert.deepEqual(resolveSchema('core.v1.PodSpec').properties?.['containers']?.listMapKeys, ['name']);
});

test('a Deployment gets the defaults of the real server, and the zeros that Go writes', () => {
  const object = read(deployment());
  const { selector: _selector, template, ...rest } = object['spec'] as Record<string, unknown>;
  assert.deepEqual(rest, {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  assert.deepEqual(at(template, 'spec', 'containers', 0), {
    name: 'c',
    image: 'nginx',
    imagePullPolicy: 'Always',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: {},
  });
  assert.deepEqual(object['status'], {});
});

test('defaulting twice is defaulting once, for every built-in kind', () => {
  for (const type of builtInResources) {
    const identity = {
      apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
      kind: type.kind,
    };
    const empty: KubeObject = { ...identity, metadata: { name: 'x' }, spec: {} };
    const once = applyDefaults(pruneUnknown(empty, type).object, type);
    const twice = applyDefaults(once, type);
    assert.equal(canonicalJson(twice), canonicalJson(once), type.kind);
  }
});

test('zero values of fields that are no pointers are not kept, those of pointers are', () => {
  const object = read(deployment({ replicas: 0, minReadySeconds: 0, paused: false }));
  assert.equal(at(object, 'spec', 'replicas'), 0);
  assert.equal(at(object, 'spec', 'minReadySeconds'), undefined);
  assert.equal(at(object, 'spec', 'paused'), undefined);
});

test('unknown fields are named and left out', () => {
  const { object, unknown } = pruneUnknown(
    deployment({ foo: 1, template: { spec: { containers: [{ bar: 2 }] } } }),
    builtIn('Deployment'),
  );
  assert.deepEqual(unknown.toSorted(), [
    'unknown field "spec.foo"',
    'unknown field "spec.template.spec.containers[0].bar"',
  ]);
  assert.equal(at(object, 'spec', 'foo'), undefined);
});

test('a value of a wrong type is a decoding error with the path of the field', () => {
  assert.throws(() => checkDecodable(deployment({ replicas: 'many' }), builtIn('Deployment')), {
    code: 400,
    message:
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  });
});

test('the pull policy follows the tag', () => {
  const policies = ['nginx', 'nginx:latest', 'nginx:1', 'host:5000/nginx', 'nginx@sha256:abc'].map(pullPolicyOf);
  assert.deepEqual(policies, ['Always', 'Always', 'IfNotPresent', 'Always', 'IfNotPresent']);
});

test('plain text of a Secret becomes data', () => {
  const secret = read({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { a: 'b' } });
  assert.deepEqual([secret['data'], secret['stringData'], secret['type']], [{ a: 'Yg==' }, undefined, 'Opaque']);
});

test('messages of refusals', () => {
  const old = read(deployment());
  const other = read(deployment({ selector: { matchLabels: { app: 'y' } } }));
  assert.deepEqual(messages(other, old), [
    'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
    'spec.selector: Invalid value: {"matchLabels":{"app":"y"}}: field is immutable',
  ]);
  assert.deepEqual(messages(read(deployment({ replicas: -1 }))), [
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ]);
  const named = read({ ...deployment(), metadata: { name: 'Bad_Name', namespace: 'n' } });
  assert.match(
    messages(named)[0] ?? '',
    /^metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must/,
  );
  const error = invalid(
    builtIn('Deployment'),
    'd',
    validate(read(deployment({ replicas: -1 })), builtIn('Deployment')),
  );
  assert.equal(
    error.message,
    'Deployment.apps "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  );
});

test('an immutable ConfigMap stays', () => {
  const old = read({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'n' },
    data: { a: '1' },
    immutable: true,
  });
  assert.deepEqual(messages({ ...old, data: { a: '2' } }, old), [
    'data: Forbidden: field is immutable when `immutable` is set',
  ]);
});

const thing = (spec: unknown): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 't', namespace: 'n' },
  spec,
});

test('custom resources are pruned, defaulted and checked by their schema', () => {
  const type = customType({
    type: 'object',
    required: ['size'],
    'x-kubernetes-validations': [{ rule: 'self.size < 5 || self.big', message: 'only big things are so large' }],
    properties: {
      size: { type: 'integer', minimum: 1 },
      big: { type: 'boolean', default: false },
      color: { type: 'string', enum: ['red', 'green'] },
      free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      list: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer', default: 7 } } } },
    },
  });
  const pruned = pruneUnknown(thing({ size: 1, foo: 1, free: { any: 1 }, color: null, list: [{}] }), type);
  assert.deepEqual(pruned.unknown, ['unknown field "spec.foo"']);
  const complete = applyDefaults(pruned.object, type);
  assert.deepEqual(complete['spec'], { size: 1, free: { any: 1 }, list: [{ n: 7 }], big: false });
  const wrong = (spec: unknown): string[] =>
    validate(applyDefaults(thing(spec), type), type).map((error) => error.message);
  assert.deepEqual(wrong({ size: 9 }), ['spec: Invalid value: only big things are so large']);
  assert.deepEqual(wrong({ size: 0 }), [
    'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
  ]);
  assert.equal(
    wrong({ size: 'x' })[0],
    'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
  );
  assert.equal(
    wrong({ size: 1, color: 'blue' })[0],
    'spec.color: Unsupported value: "blue": supported values: "red", "green"',
  );
  assert.equal(wrong({})[0], 'spec.size: Required value');
  assert.deepEqual(wrong({ size: 9, big: true }), []);
});

test('a transition rule sees the old value, and values that stay may stay wrong', () => {
  const type = customType({
    type: 'object',
    properties: {
      fixed: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'may not change' }] },
      small: { type: 'integer', maximum: 3 },
    },
  });
  const errors = (now: unknown, before: unknown): string[] =>
    validate(thing(now), type, { old: thing(before) }).map((error) => error.message);
  assert.deepEqual(errors({ fixed: 'b' }, { fixed: 'a' }), ['spec.fixed: Invalid value: "b": may not change']);
  assert.deepEqual(errors({ fixed: 'a', small: 9 }, { fixed: 'a', small: 9 }), []);
});

test('a definition serves its versions, the most stable first', () => {
  const version = (name: string, served = true): unknown => ({ name, served, storage: name === 'v1', schema: {} });
  const types = fromDefinition({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      names: { kind: 'Thing', plural: 'things', shortNames: ['th'] },
      versions: [version('v1alpha1'), version('v2beta1'), version('v1'), version('v3', false)],
    },
  });
  assert.deepEqual(
    types.map((type) => type.version),
    ['v1', 'v2beta1', 'v1alpha1'],
  );
  assert.ok(compareVersions('v10', 'v2') < 0);
});

test('a definition without a structural schema or with a wrong name is refused', () => {
  const definition: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'wrong' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Thing', plural: 'things', singular: 'thing', listKind: 'ThingList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { a: {} } } },
        },
      ],
    },
  };
  assert.deepEqual(
    validateDefinition(definition).map((error) => error.path),
    ['metadata.name', 'spec.versions[0].schema.openAPIV3Schema.properties[a].type'],
  );
});
