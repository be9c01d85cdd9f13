import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, canonicalJson, type KubeObject } from '@tiphys/api';
import fc from 'fast-check';
import { applyDefaults } from '../schema/default.ts';
import { builtIn, customType } from '../schema/testing-types.ts';
import type { ResourceType } from '../schema/types.ts';
import { fromFieldsV1, pathsOf, pathText } from './field-set.ts';
import { conflictError, serverSideApply, settleTimes, trackUpdate, type ApplyRequest } from './server-side-apply.ts';

const now = '2026-01-01T00:00:00Z';
const later = '2026-01-01T00:01:00Z';

const configMaps = builtIn('ConfigMap');
const deployments = builtIn('Deployment');

const configMap = (data: Record<string, string | null>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'n' },
  data,
});

type Given = Pick<ApplyRequest, 'live' | 'applied'> & Partial<ApplyRequest>;

function apply(given: Given): KubeObject {
  const result = serverSideApply({ manager: 'alpha', force: false, now, type: configMaps, ...given });
  assert.ok('object' in result, 'conflicts' in result ? conflictError(result.conflicts).message : '');
  return applyDefaults(result.object, given.type ?? configMaps);
}

function refuse(given: Given): string {
  const result = serverSideApply({ manager: 'beta', force: false, now, type: configMaps, ...given });
  assert.ok('conflicts' in result, 'no conflict');
  return conflictError(result.conflicts).message;
}

/** `manager operation: path path` for every owner. */
const owners = (object: KubeObject): string[] =>
  (object.metadata.managedFields ?? []).map(
    ({ manager, operation, fieldsV1 }) =>
      `${manager ?? ''} ${operation ?? ''}: ${pathsOf(fromFieldsV1(fieldsV1)).map(pathText).join(' ')}`,
  );

test('an apply creates what is missing and owns what it says', () => {
  const made = apply({ live: undefined, applied: configMap({ a: '1' }) });
  assert.deepEqual(made['data'], { a: '1' });
  assert.deepEqual(owners(made), ['alpha Apply: .data.a']);
  assert.equal(made.metadata.managedFields?.[0]?.time, now);
});

test('another manager with another value is a conflict that names owner and path', () => {
  const live = apply({ live: undefined, applied: configMap({ a: '1', b: '2' }) });
  assert.equal(
    refuse({ live, applied: configMap({ a: 'x' }) }),
    'Apply failed with 1 conflict: conflict with "alpha": .data.a',
  );
  assert.equal(
    refuse({ live, applied: configMap({ a: 'x', b: 'y' }) }),
    'Apply failed with 2 conflicts: conflicts with "alpha":\n- .data.a\n- .data.b',
  );
});

test('a conflict with an updater names its version', () => {
  const object = applyDefaults(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'n' },
      spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } } } },
    },
    deployments,
  );
  const live = trackUpdate({
    before: undefined,
    after: object,
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    now,
    type: deployments,
  });
  const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 3 } };
  assert.equal(
    refuse({ live, applied, type: deployments }),
    'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
  );
});

test('force takes the field from its owner', () => {
  const live = apply({ live: undefined, applied: configMap({ a: '1', b: '2' }) });
  const taken = apply({ live, applied: configMap({ a: 'x' }), manager: 'beta', force: true, now: later });
  assert.deepEqual(taken['data'], { a: 'x', b: '2' });
  assert.deepEqual(owners(taken), ['alpha Apply: .data.b', 'beta Apply: .data.a']);
});

test('the same value is shared, and goes when the last owner leaves it out', () => {
  const first = apply({ live: undefined, applied: configMap({ a: '1', b: '2' }) });
  const shared = apply({ live: first, applied: configMap({ a: '1' }), manager: 'beta' });
  assert.deepEqual(owners(shared), ['beta Apply: .data.a', 'alpha Apply: .data.a .data.b']);
  const without = apply({ live: shared, applied: configMap({}), now: later });
  assert.deepEqual(without['data'], { a: '1' });
  const gone = apply({ live: without, applied: configMap({}), manager: 'beta', now: later });
  assert.equal(gone['data'], undefined);
  // Both said `data: {}`: an empty map is a thing to own.
  assert.deepEqual(owners(gone), ['alpha Apply: .data', 'beta Apply: .data']);
});

test('a field that an updater changed stays when its applier leaves it out', () => {
  const live = apply({ live: undefined, applied: configMap({ a: '1' }) });
  const changed = trackUpdate({
    before: live,
    after: { ...live, data: { a: 'changed' } },
    manager: 'kubectl-edit',
    operation: 'Update',
    now: later,
    type: configMaps,
  });
  assert.deepEqual(owners(changed), ['kubectl-edit Update: .data.a']);
  assert.deepEqual(apply({ live: changed, applied: configMap({}) })['data'], { a: 'changed' });
});

test('what was there before the first apply belongs to a manager of its own', () => {
  const live = configMap({ a: '1', b: '2' });
  assert.equal(
    refuse({ live: { ...live, metadata: { ...live.metadata, uid: 'u' } }, applied: configMap({ a: 'x' }) }),
    'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
  );
});

test('kubectl may take over what its client-side apply set and nobody changed since', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const base = configMap({ a: '1' });
  const annotated = {
    ...base,
    metadata: { ...base.metadata, annotations: { [annotation]: `${canonicalJson(base)}\n` } },
  };
  const live = trackUpdate({
    before: undefined,
    after: annotated,
    manager: 'kubectl-client-side-apply',
    operation: 'Update',
    now,
    type: configMaps,
  });
  const applied = configMap({ a: '2' });
  assert.match(refuse({ live, applied, manager: 'other' }), /conflict with "kubectl-client-side-apply"/);
  const taken = apply({ live, applied, manager: 'kubectl' });
  assert.deepEqual(taken['data'], { a: '2' });
  assert.match(String(at(taken, 'metadata', 'annotations', annotation)), /"data":\{"a":"2"\}/);
  const edited = { ...live, data: { a: 'edited' } };
  assert.match(refuse({ live: edited, applied, manager: 'kubectl' }), /conflict/);
});

test('items of a map list are merged by their keys, defaults of keys included', () => {
  const pod = (ports: unknown): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n' },
    spec: { containers: [{ name: 'c', image: 'i', ports }] },
  });
  const type = builtIn('Pod');
  const live = apply({ live: undefined, applied: pod([{ containerPort: 80 }]), type });
  const both = apply({
    live,
    applied: pod([
      { containerPort: 80, protocol: 'TCP' },
      { containerPort: 80, protocol: 'UDP' },
    ]),
    manager: 'beta',
    type,
  });
  assert.deepEqual(at(both, 'spec', 'containers', 0, 'ports'), [
    { containerPort: 80, protocol: 'TCP' },
    { containerPort: 80, protocol: 'UDP' },
  ]);
  const less = apply({ live: both, applied: pod([{ containerPort: 80 }]), manager: 'beta', type, now: later });
  assert.deepEqual(at(less, 'spec', 'containers', 0, 'ports'), [{ containerPort: 80, protocol: 'TCP' }]);
});

test('a field that the schema does not know and an item twice are refused', () => {
  const spec = { selector: {}, template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } }, foo: 1 };
  const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'n' }, spec };
  assert.throws(
    () => serverSideApply({ live: undefined, applied, manager: 'm', force: false, now, type: deployments }),
    {
      code: 500,
      message:
        'failed to create typed patch object (n/d; apps/v1, Kind=Deployment): errors:\n  .spec.template.spec.containers: duplicate entries for key [name="a"]\n  .spec.foo: field not declared in schema',
    },
  );
});

test('sets, atomic lists and atomic maps of custom resources', () => {
  const type = customType({
    type: 'object',
    properties: {
      set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      list: { type: 'array', items: { type: 'string' } },
      map: { type: 'object', additionalProperties: { type: 'string' } },
      leaf: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
    },
  });
  const thing = (spec: Record<string, unknown>): KubeObject => ({
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name: 't', namespace: 'n' },
    spec,
  });
  const first = apply({ live: undefined, type, applied: thing({ set: ['a'], map: { x: '1' }, leaf: { x: '1' } }) });
  const second = apply({
    live: first,
    type,
    manager: 'beta',
    applied: thing({ set: ['b'], map: { y: '2' }, list: ['l'] }),
  });
  assert.deepEqual(second['spec'], { set: ['a', 'b'], map: { x: '1', y: '2' }, leaf: { x: '1' }, list: ['l'] });
  assert.deepEqual(owners(second), [
    'alpha Apply: .spec.leaf .spec.map.x .spec.set[="a"]',
    'beta Apply: .spec.list .spec.map.y .spec.set[="b"]',
  ]);
  assert.match(refuse({ live: second, type, applied: thing({ leaf: { y: '2' } }) }), /: \.spec\.leaf$/);
});

test('a status sent to the resource itself gets no owner, one sent to the subresource does', () => {
  const type = customType({ type: 'object' }, { status: {} });
  const thing = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 't' }, spec: {}, status: {} };
  const withStatus = { ...thing, status: { phase: 'x' } };
  const open = {
    ...type,
    schema: { ...type.schema, properties: { ...type.schema?.properties, status: { preserveUnknown: true } } },
  };
  assert.deepEqual(owners(apply({ live: undefined, type: open, applied: withStatus })), ['alpha Apply: .spec']);
  const through = apply({
    live: thing,
    type: open,
    applied: { ...thing, status: { phase: 'x' } },
    subresource: 'status',
  });
  assert.ok(owners(through).includes('alpha Apply: .status.phase'));
});

test('an empty entry resets ownership, which then stays away until somebody applies', () => {
  const live = apply({ live: undefined, applied: configMap({ a: '1' }) });
  const sent = { ...live, metadata: { ...live.metadata, uid: 'u', managedFields: [{}] } };
  const reset = trackUpdate({ before: live, after: sent, manager: 'm', operation: 'Update', now, type: configMaps });
  assert.equal(reset.metadata.managedFields, undefined);
});

test('a write that changes nothing leaves the times alone', () => {
  const live = apply({ live: undefined, applied: configMap({ a: '1' }) });
  const again = apply({ live, applied: configMap({ a: '1' }), now: later });
  assert.equal(canonicalJson(settleTimes(live, again)), canonicalJson(live));
});

// Never empty: an empty map is a field of its own, which the storage then forgets; the table above shows it.
const dataOf = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'), { minKeys: 1 });
const step = fc.record({ manager: fc.constantFrom('alpha', 'beta', 'gamma'), data: dataOf });

test('applies by any managers: configurations hold, fields without an applier go, a repeated apply changes nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      let live: KubeObject | undefined;
      const last = new Map<string, Record<string, string>>();
      for (const { manager, data } of steps) {
        live = apply({ live, applied: configMap(data), manager, force: true });
        // Who was overridden no longer has a say in the fields that the new one changed.
        for (const [other, fields] of last)
          last.set(
            other,
            Object.fromEntries(Object.entries(fields).filter(([key, value]) => (data[key] ?? value) === value)),
          );
        last.set(manager, data);
        assert.deepEqual(live['data'] ?? {}, Object.assign({}, ...last.values()));
        const again = apply({ live, applied: configMap(data), manager });
        assert.equal(canonicalJson(again), canonicalJson(live));
      }
    }),
  );
});

/** The fields that a type lets two managers merge, over a workload with lists of several kinds. */
test('what a manager applies and then leaves out again leaves no trace', () => {
  const type: ResourceType = deployments;
  const base: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'n' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'main', image: 'i' }] } },
    },
  };
  const extra = fc.constantFrom<Record<string, unknown>>(
    { template: { spec: { containers: [{ name: 'side', image: 's' }] } } },
    { template: { spec: { containers: [{ name: 'main', env: [{ name: 'A', value: '1' }] }] } } },
    { template: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } } },
    { template: { spec: { nodeSelector: { x: 'y' } } } },
    { template: { metadata: { annotations: { x: 'y' } } } },
    { paused: true },
  );
  fc.assert(
    fc.property(extra, (spec) => {
      const live = apply({ live: undefined, applied: base, type });
      const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'n' }, spec };
      const more = apply({ live, applied, type, manager: 'beta' });
      assert.notEqual(canonicalJson(more['spec']), canonicalJson(live['spec']));
      const less = apply({ live: more, applied: { ...applied, spec: {} }, type, manager: 'beta', now: later });
      const kept = { ...less, metadata: live.metadata };
      assert.equal(canonicalJson(kept), canonicalJson(live));
    }),
  );
});
