import { createPublicKey, verify } from 'node:crypto';
import { at, canonicalJson, isRecord, listAt, parseJson, stringAt } from '@tiphys/api';
import {
  create,
  define,
  groupOf,
  merge,
  podOf,
  seenOnce,
  template,
  told,
  within,
  type Agreement,
  type Place,
} from './difference.ts';
import { comparable } from '../differential/normalize.ts';
import { podDetails } from '../differential/kinds/pod-details.ts';
import { celAgreements } from './cel.ts';
import { controllerAgreements } from './controllers.ts';
import { jobAgreements } from './jobs.ts';
import { validationAgreements } from './validation.ts';

const tellAll = async (place: Place, paths: readonly string[]): Promise<readonly string[]> =>
  Promise.all(paths.map(async (path) => told(await place.call({ method: 'GET', path }))));

const badSelectors = [
  'a b',
  'a in',
  'a in (',
  '!',
  'a=b=c',
  'a in (b',
  'a,',
  '=a',
  'a>b',
  '(a)',
  'a=b,=c',
  'a!',
  'a in a',
];

const token = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const badTokens = ['xyz', '!!', token({ v: 'm', rv: 1, start: 'x' }), token({ v: 'meta.k8s.io/v1', rv: 1, start: '' })];

const zones = [
  '',
  'UTC',
  'Europe/Berlin',
  'europe/berlin',
  'US/Pacific',
  'GMT+5',
  'Local',
  'Mars/Base',
  '+05:00',
  '../x',
];

const rbac = 'rbac.authorization.k8s.io/v1';

/** Gives `eve` the right to create roles and bindings, and no other. */
async function letEveGrant(place: Place): Promise<void> {
  const rules = [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['create'] }];
  await create(place, within(place, `${rbac} roles`), { metadata: { name: 'grant' }, rules });
  await create(place, within(place, `${rbac} rolebindings`), {
    metadata: { name: 'grant' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'grant' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
  });
  // The real server takes roles into account a moment later.
  const { namespace } = place;
  const attributes = { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'roles', namespace };
  const spec = { user: 'eve', resourceAttributes: attributes };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const isAllowed = async (): Promise<boolean> =>
    at((await place.call({ method: 'POST', path, body })).body, 'status', 'allowed') === true;
  if (!(await seenOnce(isAllowed, Boolean))) throw new Error('the role is not in force');
}

const reviews = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/** What the embedded cluster was once found to do otherwise than the real one, and does alike since. */
export const agreements: readonly Agreement[] = [
  ...jobAgreements,
  ...celAgreements,
  ...controllerAgreements,
  ...validationAgreements,
  {
    what: 'what is wrong with a label selector',
    see: async (place) =>
      (
        await tellAll(
          place,
          badSelectors.map((one) => `${within(place, 'configmaps')}?labelSelector=${encodeURIComponent(one)}`),
        )
      ).map((text) => text.replace(/^400 (?:unable to parse requirement: )?/, '')),
    both: [
      "found 'b', expected: in, notin, =, ==, !=, gt, lt",
      "found '' expected: '('",
      "found '', expected: ',', ')' or identifier",
      "found '', expected: identifier",
      "found '=', expected: ',' or 'end of string'",
      "found '', expected: ',' or ')'",
      "found '', expected: identifier after ','",
      "found '=', expected: !, identifier, or 'end of string'",
      `values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
      "found '(', expected: !, identifier, or 'end of string'",
      "found '=', expected: identifier after ','",
      "found '!', expected: in, notin, =, ==, !=, gt, lt",
      "found 'a' expected: '('",
    ],
  },
  {
    what: 'what is wrong with a continue token',
    see: (place) =>
      tellAll(
        place,
        badTokens.map((one) => `${within(place, 'configmaps')}?continue=${one}`),
      ),
    both: [
      "invalid character 'Ç' looking for beginning of value",
      'illegal base64 data at input byte 0',
      'server does not recognize this encoded version m',
      'encoded start key empty (version meta.k8s.io/v1)',
    ].map((text) => `400 invalid continue token: continue key is not valid: ${text}`),
  },
  {
    what: 'which time zones a CronJob may have',
    see: async (place) => {
      const path = `${within(place, 'batch/v1 cronjobs')}?dryRun=All`;
      const jobTemplate = { spec: { template: template({ spec: { restartPolicy: 'Never' } }) } };
      const answers = zones.map(async (timeZone) => {
        const spec = { schedule: '* * * * *', timeZone, jobTemplate };
        return (await place.call({ method: 'POST', path, body: { metadata: { name: 'c' }, spec } })).code === 201;
      });
      const accepted = await Promise.all(answers);
      return zones.filter((_, index) => accepted[index]);
    },
    both: ['UTC', 'Europe/Berlin', 'US/Pacific'],
  },
  {
    what: 'what is wrong with the rarer parts of a pod',
    see: async (place) => {
      const path = `${within(place, 'pods')}?dryRun=All`;
      const answers = podDetails().map(async ([what, spec]) => {
        const body = { metadata: { name: 'p' }, spec: { automountServiceAccountToken: false, ...spec } };
        const answer = comparable(await place.call({ method: 'POST', path, body }));
        const key = `${what} ${canonicalJson(spec[what] ?? at(spec, 'containers', 0, what) ?? null)}`;
        return [key, canonicalJson(answer).replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '<time>')] as const;
      });
      return Object.fromEntries(await Promise.all(answers));
    },
  },
  {
    what: 'an autoscaler in the form of another version',
    see: async (place) => {
      const scalers = (version: string): string =>
        within(place, `autoscaling/${version} horizontalpodautoscalers`, 'a');
      const metric = (name: string) => ({
        type: 'Resource',
        resource: { name, target: { type: 'Utilization', averageUtilization: 50 } },
      });
      const pods = { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '5' } };
      const spec = {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
        metrics: [metric('memory'), { type: 'Pods', pods }, metric('cpu')],
        behavior: { scaleDown: { stabilizationWindowSeconds: 5 } },
      };
      const path = within(place, 'autoscaling/v2 horizontalpodautoscalers');
      await create(place, path, { metadata: { name: 'a' }, spec });
      const first = await place.call({ method: 'GET', path: scalers('v1') });
      const annotations = at(first.body, 'metadata', 'annotations');
      const carried = ['metrics', 'behavior'].map((name) => at(annotations, `autoscaling.alpha.kubernetes.io/${name}`));
      await place.call(merge(scalers('v1'), { spec: { targetCPUUtilizationPercentage: 33 } }));
      const { body } = await place.call({ method: 'GET', path: scalers('v2') });
      return [at(first.body, 'spec', 'targetCPUUtilizationPercentage'), carried, at(body, 'spec')];
    },
  },
  {
    what: 'keys that a body has twice',
    see: async (place) => {
      const ask = async (validation: string) => {
        const path = `${within(place, 'configmaps')}?dryRun=All&fieldValidation=${validation}`;
        const text = '{"metadata":{"name":"m"},"data":{"a":"1","a":"2"},"nothing":{"b":1,"b":2}}';
        return place.call({ method: 'POST', path, text });
      };
      const applied = await place.call({
        method: 'PATCH',
        path: `${within(place, 'configmaps', 'm')}?fieldManager=x&fieldValidation=Strict`,
        contentType: 'application/apply-patch+yaml',
        text: '{"apiVersion":"v1","kind":"ConfigMap",\n"metadata":{"name":"m"},"data":{"a":"1",\n"a":"2"}}',
      });
      return [told(await ask('Strict')), (await ask('Warn')).headers['warning'], told(applied)];
    },
    both: [
      '400 ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a", unknown field "nothing"',
      '299 - "duplicate field \\"data.a\\"", 299 - "unknown field \\"nothing\\""',
      '400 error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key "a" already set in map',
    ],
  },
  {
    what: 'nobody grants what he does not have',
    see: async (place) => {
      await letEveGrant(place);
      const headers = { 'impersonate-user': 'eve' };
      const post = async (plural: string, body: object): Promise<string> =>
        told(await place.call({ method: 'POST', path: within(place, `${rbac} ${plural}`), body, headers }));
      const rule = { apiGroups: ['', 'apps'], resources: ['secrets'], verbs: ['get', 'list'] };
      const bound = (kind: string, name: string): object => ({
        metadata: { name: 'b' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      });
      return [
        await post('roles', { metadata: { name: 'r' }, rules: [rule] }),
        await post('roles', { metadata: { name: 'empty' }, rules: [] }),
        await post('rolebindings', bound('ClusterRole', 'cluster-admin')),
        await post('rolebindings', bound('Role', 'nowhere')),
        await post('rolebindings', bound('Role', 'grant')),
      ];
    },
    both: [
      '403 roles.rbac.authorization.k8s.io "r" is forbidden: user "eve" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}\n{APIGroups:["apps"], Resources:["secrets"], Verbs:["get" "list"]}',
      '201 Role',
      '403 rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "eve" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
      '404 rolebindings.rbac.authorization.k8s.io "nowhere" not found',
      '201 RoleBinding',
    ],
  },
  {
    what: 'whom a request counts as',
    see: async (place) => {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const me = (headers: Readonly<Record<string, string>>) =>
        place.call({ method: 'POST', path: reviews, body, headers });
      const full = await me({
        'impersonate-user': 'bob',
        'impersonate-uid': 'u1',
        'impersonate-extra-Scopes': 'a',
        'impersonate-extra-acme.com%2fproject': 'p',
      });
      return [at(full.body, 'status', 'userInfo'), told(await me({ 'impersonate-uid': 'u1' }))];
    },
    both: [
      {
        username: 'bob',
        uid: 'u1',
        groups: ['system:authenticated'],
        extra: { 'acme.com/project': ['p'], scopes: ['a'] },
      },
      '400 requested [{UID  u1  authentication.k8s.io/v1  }] without impersonating a user',
    ],
  },
  {
    what: 'what a token is bound to',
    see: async (place) => {
      const path = `${within(place, 'serviceaccounts', 'default')}/token`;
      const ask = (kind: string, name: string, uid?: string) => {
        const boundObjectRef = { apiVersion: 'v1', kind, name, ...(uid !== undefined && { uid }) };
        const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef } };
        return place.call({ method: 'POST', path, body });
      };
      await create(place, within(place, 'pods'), podOf('p', { spec: { nodeName: 'node-0' } }));
      const { body } = await ask('Pod', 'p');
      const [, claims = ''] = (stringAt(body, 'status', 'token') ?? '').split('.');
      const own = at(parseJson(Buffer.from(claims, 'base64url').toString()), 'kubernetes.io');
      const names = ['node', 'pod', 'serviceaccount'].map((kind) => stringAt(own, kind, 'name'));
      const refused = [await ask('Pod', 'none'), await ask('Pod', 'p', 'other'), await ask('ConfigMap', 'm')];
      return [...names, ...refused.map(told)];
    },
    both: [
      'node-0',
      'p',
      'default',
      '404 pods "none" not found',
      '409 Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (other) does not match the UID in record. The object might have been deleted and then recreated',
      '400 cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
  },
  {
    what: 'a token of a service account can be verified by what the issuer publishes',
    see: async (place) => {
      const { body } = await create(place, `${within(place, 'serviceaccounts', 'default')}/token`, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {},
      });
      const [header = '', claims = '', signature = ''] = (stringAt(body, 'status', 'token') ?? '').split('.');
      const discovery = await place.call({ method: 'GET', path: '/.well-known/openid-configuration' });
      const uri = new URL(stringAt(discovery.body, 'jwks_uri') ?? '');
      const keys = await place.call({ method: 'GET', path: uri.pathname, accept: 'application/jwk-set+json' });
      const id = stringAt(parseJson(Buffer.from(header, 'base64url').toString()), 'kid');
      const key = listAt(keys.body, 'keys').find((one) => stringAt(one, 'kid') === id);
      const publicKey = createPublicKey({ key: isRecord(key) ? key : {}, format: 'jwk' });
      const isSigned = verify(
        'sha256',
        Buffer.from(`${header}.${claims}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      );
      return [isSigned, stringAt(discovery.body, 'issuer'), keys.headers['content-type']];
    },
    both: [true, 'https://kubernetes.default.svc.cluster.local', 'application/jwk-set+json'],
  },
  {
    what: 'a custom resource may be posted to a path of its own',
    see: async (place) => {
      const things = await define(place);
      const thing = { apiVersion: `${groupOf(place)}/v1`, kind: 'Thing' };
      const post = (name: string, metadata: object) =>
        place.call({ method: 'POST', path: `${things}/${name}`, body: { ...thing, metadata } });
      const answers = [await post('a', { name: 'a' }), await post('b', { name: 'c' }), await post('d', {})];
      const maps = await place.call({ method: 'POST', path: within(place, 'configmaps', 'm'), body: {} });
      return [...answers.map(({ code }) => code), maps.code];
    },
    both: [201, 201, 422, 405],
  },
  {
    what: 'the hash of the version that a kind is stored in',
    see: async ({ call }) => {
      const hashes = async (path: string): Promise<readonly string[]> => {
        const { body } = await call({ method: 'GET', path });
        return listAt(body, 'resources').flatMap((one) => stringAt(one, 'storageVersionHash') ?? []);
      };
      const paths = ['/api/v1', '/apis/apps/v1', '/apis/autoscaling/v1', '/apis/apiextensions.k8s.io/v1'];
      const lists = await Promise.all(paths.map(hashes));
      return lists.map((list) => [list.length, list.toSorted()[0]]);
    },
    both: [
      [15, '0/CO1lhkEBI='],
      [5, '85nkx63pcBU='],
      [1, 'qwQve8ut294='],
      [1, 'jfWCUB31mvA='],
    ],
  },
];
