import { at, isRecord, listAt, stringAt } from '@tiphys/api';
import { startKubeSim } from '@tiphys/kube-sim';
import { connect } from '../differential/api.ts';
import {
  create,
  define,
  groupOf,
  happensOn,
  merge,
  podOf,
  seenOnce,
  template,
  told,
  untilSeen,
  within,
  type Difference,
  type Place,
  type See,
} from './difference.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';

const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] };

/** Creates config maps until one is refused, for as long as a policy may take to be read; says the last answer's code. */
async function codeOnceActive(place: Place, labels: Readonly<Record<string, string>>): Promise<number> {
  const create = async (): Promise<number> => {
    const body = { metadata: { generateName: 'm', labels } };
    return (await place.call({ method: 'POST', path: within(place, 'configmaps'), body })).code;
  };
  return seenOnce(create, (code) => code !== 201, happensOn(place, 'real'));
}

/** Creates objects of the whole cluster, looks, and removes them. */
async function withObjects<T>(
  place: Place,
  objects: readonly (readonly [plural: string, body: object])[],
  see: () => Promise<T>,
): Promise<T> {
  const metadata = { name: place.namespace };
  try {
    for (const [plural, body] of objects) await create(place, `${registration}/${plural}`, { metadata, ...body });
    return await see();
  } finally {
    for (const [plural] of objects)
      await place.call({ method: 'DELETE', path: `${registration}/${plural}/${place.namespace}` });
  }
}

const webhooks: See = (place) => {
  const labels = { hooked: place.namespace };
  const webhook = {
    name: 'none.example.com',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    objectSelector: { matchLabels: labels },
    clientConfig: { service: { name: 'none', namespace: place.namespace } },
    rules: [rule],
  };
  return withObjects(place, [['validatingwebhookconfigurations', { webhooks: [webhook] }]], () =>
    codeOnceActive(place, labels),
  );
};

const policies: See = (place) => {
  const labels = { policed: place.namespace };
  const spec = {
    matchConstraints: { objectSelector: { matchLabels: labels }, resourceRules: [rule] },
    validations: [{ expression: 'false' }],
  };
  const binding = { policyName: place.namespace, validationActions: ['Deny'] };
  const objects = [
    ['validatingadmissionpolicies', { spec }],
    ['validatingadmissionpolicybindings', { spec: binding }],
  ] as const;
  return withObjects(place, objects, () => codeOnceActive(place, labels));
};

const podSecurity: See = async (place) => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await place.call(merge(`/api/v1/namespaces/${place.namespace}`, { metadata: { labels } }));
  const { code } = await place.call({ method: 'POST', path: within(place, 'pods'), body: podOf('p') });
  return code;
};

const quotaScope: See = async (place) => {
  const quotas = within(place, 'resourcequotas');
  const scopes = ['CrossNamespacePodAffinity'];
  await create(place, quotas, { metadata: { name: 'q' }, spec: { hard: { pods: '0' }, scopes } });
  await untilSeen(place, `${quotas}/q`, (body) => at(body, 'status', 'hard'));
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: {}, namespaces: ['other'] };
  const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  const body = podOf('p', { spec: { affinity } });
  return (await place.call({ method: 'POST', path: within(place, 'pods'), body })).code;
};

const conversion: See = async (place) => {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const versions = ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === 'v1', schema }));
  const clientConfig = { service: { name: 'none', namespace: place.namespace } };
  const webhook = { conversionReviewVersions: ['v1'], clientConfig };
  const spec = { conversion: { strategy: 'Webhook', webhook } };
  const things = await define(place, { versions, spec });
  await create(place, things, { apiVersion: `${groupOf(place)}/v1`, kind: 'Thing', metadata: { name: 'a' } });
  const path = within(place, `${groupOf(place)}/v2 things`, 'a');
  return (await place.call({ method: 'GET', path })).code;
};

const history: See = async (place) => {
  const changes = 25;
  const play = async (call: Place['call'], maps: string): Promise<string> => {
    const { body } = await call({ method: 'GET', path: maps });
    const resourceVersion = stringAt(body, 'metadata', 'resourceVersion') ?? '';
    for (let number = 0; number < changes; number++)
      await call({ method: 'POST', path: maps, body: { metadata: { name: `m${number}` } } });
    const query = new URLSearchParams({ watch: '1', timeoutSeconds: '1', resourceVersion }).toString();
    const watched = await call({ method: 'GET', path: `${maps}?${query}` });
    const events = Array.isArray(watched.body) ? watched.body : [];
    return events.some((event) => stringAt(event, 'type') === 'ERROR') ? 'too old' : `${events.length} changes`;
  };
  if (place.name === 'real') return play(place.call, within(place, 'configmaps'));
  await using sim = await startKubeSim({ controllers: 'off', historyLength: 10 });
  const client = connect({ name: 'embedded', url: sim.url, token: sim.token, caPem: sim.caPem });
  try {
    return await play(client.call, '/api/v1/namespaces/default/configmaps');
  } finally {
    client.close();
  }
};

export const server: readonly Difference[] = [
  {
    key: 'component-roles',
    see: async ({ call }) => {
      const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-scheduler';
      return (await call({ method: 'GET', path })).code;
    },
    real: 200,
    embedded: 404,
  },
  {
    key: 'token-signature',
    see: async ({ call }) => {
      const path = '/.well-known/openid-configuration';
      const { body } = await call({ method: 'GET', path });
      return at(body, 'id_token_signing_alg_values_supported');
    },
    real: ['RS256'],
    embedded: ['ES256'],
  },
  { key: 'webhooks', see: webhooks, real: 500, embedded: 201 },
  { key: 'admission-policies', see: policies, real: 422, embedded: 201 },
  { key: 'pod-security', see: podSecurity, real: 403, embedded: 201 },
  { key: 'quota-affinity', see: quotaScope, real: 403, embedded: 201 },
  {
    key: 'protobuf-answers',
    see: async ({ call }) => {
      const accept = 'application/vnd.kubernetes.protobuf';
      return (await call({ method: 'GET', path: '/api/v1/namespaces/default', accept })).code;
    },
    real: 200,
    embedded: 406,
  },
  {
    key: 'compression',
    see: async (place) => {
      const body = { metadata: { name: 'long' }, data: { text: 'x'.repeat(200 * 1024) } };
      await create(place, within(place, 'configmaps'), body);
      const headers = { 'accept-encoding': 'gzip' };
      const path = within(place, 'configmaps', 'long');
      return (await place.call({ method: 'GET', path, accept: 'application/yaml', headers })).headers[
        'content-encoding'
      ];
    },
    real: 'gzip',
    embedded: undefined,
  },
  {
    key: 'descriptions',
    see: async ({ call }) => {
      const { body } = await call({ method: 'GET', path: '/openapi/v3/api/v1' });
      const schema = at(body, 'components', 'schemas', 'io.k8s.api.core.v1.ConfigMap');
      return isRecord(schema) && 'description' in schema;
    },
    real: true,
    embedded: false,
  },
  {
    key: 'column-descriptions',
    see: async (place) => {
      const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
      const { body } = await place.call({ method: 'GET', path: within(place, 'configmaps'), accept });
      return stringAt(body, 'columnDefinitions', 0, 'description') === '' ? 'empty' : 'given';
    },
    real: 'given',
    embedded: 'empty',
  },
  { key: 'webhook-conversion', see: conversion, real: 500, embedded: 200 },
  {
    key: 'bookmarks',
    see: async (place) => {
      const maps = within(place, 'configmaps');
      const { body } = await place.call({ method: 'GET', path: maps });
      const resourceVersion = stringAt(body, 'metadata', 'resourceVersion') ?? '';
      const parts = { watch: '1', allowWatchBookmarks: 'true', timeoutSeconds: '1', resourceVersion };
      const path = `${maps}?${new URLSearchParams(parts).toString()}`;
      const watched = await place.call({ method: 'GET', path });
      return Array.isArray(watched.body) ? watched.body.map((event) => stringAt(event, 'type')) : [];
    },
    real: [],
    embedded: ['BOOKMARK'],
  },
  { key: 'history', see: history, real: '25 changes', embedded: 'too old' },
  {
    key: 'warnings',
    see: async (place) => {
      const body = podOf('p', { spec: { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } } });
      const path = `${within(place, 'pods')}?dryRun=All`;
      return (await place.call({ method: 'POST', path, body })).headers['warning'] ?? 'none';
    },
    real: '299 - "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \\"kubernetes.io/os\\" instead"',
    embedded: 'none',
  },
  {
    key: 'yaml-errors',
    see: async (place) => {
      const sent = { contentType: 'application/yaml', text: 'a: b: c' };
      return told(await place.call({ method: 'POST', path: within(place, 'configmaps'), ...sent }));
    },
    real: '400 the object provided is unrecognized (must be of type ConfigMap): yaml: mapping values are not allowed in this context (613a20623a2063)',
    embedded: '400 request body:1: bad indentation of a mapping entry',
  },
  {
    key: 'yaml-duplicates',
    see: async (place) => {
      const maps = `${within(place, 'configmaps')}?fieldValidation=Strict&dryRun=All`;
      const sent = { contentType: 'application/yaml', text: 'metadata: {name: m}\ndata:\n  a: "1"\n  a: "2"\n' };
      const yaml = await place.call({ method: 'POST', path: maps, ...sent });
      await create(place, within(place, 'configmaps'), { metadata: { name: 'm' } });
      const patch = await place.call({
        method: 'PATCH',
        path: `${within(place, 'configmaps', 'm')}?fieldValidation=Strict`,
        contentType: 'application/json-patch+json',
        text: '[{"op": "add", "path": "/data", "value": {"a": "1", "a": "2"}}]',
      });
      return [yaml.code, patch.code];
    },
    real: [400, 422],
    embedded: [201, 200],
  },
  {
    key: 'inner-forms',
    see: async (place) => {
      const jobs = within(place, 'batch/v1 jobs');
      const spec = { template: template({ spec: { restartPolicy: 'Never' } }), suspend: false };
      await create(place, jobs, { metadata: { name: 'j' }, spec });
      const change = { spec: { template: { spec: { serviceAccountName: 'other' } } } };
      const { code, body } = await place.call(merge(`${jobs}/j`, change));
      const [first = ''] = (stringAt(body, 'message') ?? '').split('"batch.kubernetes.io', 1);
      return `${code} ${first.replace(/(Invalid value: \{).*$/, '$1')}, ${/"Name":"main"/.test(stringAt(body, 'message') ?? '')}`;
    },
    real: '422 Job.batch "j" is invalid: spec.template: Invalid value: {, true',
    embedded: '422 Job.batch "j" is invalid: spec.template: Invalid value: {, false',
  },
  {
    key: 'service-without-name',
    see: async (place) => {
      const body = { metadata: {}, spec: { ports: [{ port: 80 }] } };
      const answer = await place.call({ method: 'POST', path: within(place, 'services'), body });
      return listAt(answer.body, 'details', 'causes').map((cause) => stringAt(cause, 'field'));
    },
    real: ['spec.clusterIPs'],
    embedded: ['metadata.name'],
  },
  {
    key: 'rewrites',
    see: async (place) => {
      const claims = within(place, 'persistentvolumeclaims');
      const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
      await create(place, claims, { metadata: { name: 'c' }, spec: { storageClassName: 'none', ...claimSpec } });
      const { body } = await place.call({ method: 'GET', path: `${claims}/c` });
      const answer = await place.call({ method: 'PUT', path: `${claims}/c`, body });
      const version = (of: unknown): string | undefined => stringAt(of, 'metadata', 'resourceVersion');
      return version(answer.body) === version(body) ? 'not stored' : 'stored';
    },
    real: 'stored',
    embedded: 'not stored',
  },
  {
    key: 'flow-control',
    see: async ({ call }) => {
      const { headers } = await call({ method: 'GET', path: '/api/v1/namespaces/default' });
      return headers['x-kubernetes-pf-flowschema-uid'] === undefined ? 'none' : 'by a flow schema';
    },
    real: 'by a flow schema',
    embedded: 'none',
  },
];
