import { numberAt } from '@tiphys/api';
import {
  apply,
  create,
  define,
  definitions,
  groupOf,
  seenOnce,
  within,
  type Agreement,
  type Difference,
} from './difference.ts';

export const validation: readonly Difference[] = [
  {
    key: 'rarer-kinds',
    see: async ({ call }) => {
      const path = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas?dryRun=All';
      const spec = { matchingPrecedence: -5, priorityLevelConfiguration: { name: 'a' } };
      return (await call({ method: 'POST', path, body: { metadata: { name: 'differences' }, spec } })).code;
    },
    real: 422,
    embedded: 201,
  },
  {
    key: 'empty-maps',
    see: async (place) => {
      const secret = { metadata: { name: 's' }, immutable: true };
      await create(place, within(place, 'secrets'), secret);
      const path = within(place, 'secrets', 's');
      const { code } = await place.call({ method: 'PUT', path, body: { ...secret, type: 'Opaque', data: {} } });
      const policies = within(place, 'networking.k8s.io/v1 networkpolicies');
      await create(place, policies, { metadata: { name: 'n' }, spec: { podSelector: {} } });
      const spec = { podSelector: { matchLabels: {} }, policyTypes: ['Ingress'], ingress: [] };
      const put = { method: 'PUT', path: `${policies}/n`, body: { metadata: { name: 'n' }, spec } };
      const { body } = await place.call(put);
      return [code, numberAt(body, 'metadata', 'generation')];
    },
    real: [422, 2],
    embedded: [200, 1],
  },
];

export const validationAgreements: readonly Agreement[] = [
  {
    what: 'who owns a field that another version has under another name',
    see: async (place) => {
      const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' };
      const applyAs = async (manager: string, version: string, spec: object): Promise<number> => {
        const body = {
          apiVersion: `autoscaling/${version}`,
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: 'a' },
          spec: { scaleTargetRef, maxReplicas: 3, ...spec },
        };
        const path = within(place, `autoscaling/${version} horizontalpodautoscalers`, 'a');
        return (await place.call(apply(path, manager, body))).code;
      };
      const target = { type: 'Utilization', averageUtilization: 70 };
      const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
      return [
        await applyAs('one', 'v1', { targetCPUUtilizationPercentage: 50 }),
        await applyAs('two', 'v2', { metrics }),
      ];
    },
    both: [201, 409],
  },
  {
    what: 'who owns a map that a definition has made one leaf',
    see: async (place) => {
      const map = { type: 'object', additionalProperties: { type: 'string' } };
      const things = await define(place, { schema: { properties: { map } } });
      const applyAs = async (manager: string, fields: object): Promise<number> => {
        const spec = { map: fields };
        const body = { apiVersion: `${groupOf(place)}/v1`, kind: 'Thing', metadata: { name: 'a' }, spec };
        return (await place.call(apply(`${things}/a`, manager, body))).code;
      };
      const first = await applyAs('one', { a: '1' });
      const path = `${definitions}/things.${groupOf(place)}`;
      const at = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/map/x-kubernetes-map-type';
      const change = [{ op: 'add', path: at, value: 'atomic' }];
      await place.call({ method: 'PATCH', path, body: change, contentType: 'application/json-patch+json' });
      // The real server takes a new schema into use a moment later; until then everybody may set a field of the map.
      let others = 0;
      return [
        first,
        await seenOnce(
          () => applyAs(`other-${others++}`, { b: '1' }),
          (code) => code !== 200,
        ),
      ];
    },
    both: [201, 409],
  },
];
