import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { badRequest } from '../../schema/status-error.ts';
import { issuer, type TokenBound } from '../authorization/service-account-tokens.ts';
import { timeText } from '../cluster.ts';
import { read } from '../operations/read.ts';
import { fieldError, invalid, notFound, Refusal } from '../refusal.ts';
import { header, readBody, send, sendJson, type Exchange } from './exchange.ts';
import type { ResourcePorts, ResourceRequest } from './resource-request.ts';

const defaultTokenSeconds = 3600;

/** Kinds that a token can end with. */
const bindable = {
  Pod: { kind: 'pod', resource: 'pods', namespaced: true },
  Secret: { kind: 'secret', resource: 'secrets', namespaced: true },
  Node: { kind: 'node', resource: 'nodes', namespaced: false },
} as const;

const isBindable = (kind: string): kind is keyof typeof bindable => Object.hasOwn(bindable, kind);

/** @throws Refusal when the object is not there, is another one, or of a kind that a token cannot be bound to */
function boundOf({ cluster: { store } }: ResourcePorts, body: unknown, namespace: string): TokenBound | undefined {
  const reference = at(body, 'spec', 'boundObjectRef');
  if (!isRecord(reference)) return undefined;
  const field = (name: string): string => stringAt(reference, name) ?? '';
  if (!isBindable(field('kind')) || field('apiVersion') !== 'v1') {
    const [group, version] = field('apiVersion').includes('/')
      ? field('apiVersion').split('/')
      : ['', field('apiVersion')];
    throw badRequest(`cannot bind token to object of type ${group ?? ''}/${version ?? ''}, Kind=${field('kind')}`);
  }
  const kindName = field('kind');
  const { kind, resource, namespaced } = bindable[isBindable(kindName) ? kindName : 'Pod'];
  const name = field('name');
  const found: KubeObject | undefined = store.get({ resource, namespace: namespaced ? namespace : '', name });
  if (found === undefined) throw notFound({ group: '', plural: resource }, name);
  const { uid = '' } = found.metadata;
  if (field('uid') !== '' && field('uid') !== uid)
    throw new Refusal({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on ${kindName} ${JSON.stringify(name)}: the UID in the bound object reference (${field('uid')}) does not match the UID in record. The object might have been deleted and then recreated`,
      details: { name, kind: kindName },
    });
  return { kind, name, uid };
}

/** A signed token for a service account, as TokenRequest gives it. */
export async function serveTokenRequest(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const { path, exchange, type } = request;
  const account = read(ports.cluster, { type, namespace: path.namespace, name: path.name });
  const body = await readBody(exchange);
  const seconds = numberAt(body, 'spec', 'expirationSeconds') ?? defaultTokenSeconds;
  if (seconds < 600)
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
      fieldError(
        'spec.expirationSeconds',
        'FieldValueInvalid',
        `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
      ),
    ]);
  const asked = listAt(body, 'spec', 'audiences').map(String);
  const audiences = asked.length > 0 ? asked : [issuer];
  const bound = boundOf(ports, body, path.namespace);
  const wish = { expiresInSeconds: seconds, audiences, ...(bound !== undefined && { bound }) };
  const { token, expires } = ports.accounts.issue(account, wish);
  const { uid = '' } = account.metadata;
  const creationTimestamp = timeText(ports.cluster.clock.now());
  const answer = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: path.name, namespace: path.namespace, uid, creationTimestamp },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: at(body, 'spec', 'boundObjectRef') ?? null },
    status: { token, expirationTimestamp: expires === undefined ? null : timeText(expires) },
  };
  sendJson(exchange, { code: 201, body: answer });
}

const keySetType = 'application/jwk-set+json';
const keySetPath = '/openid/v1/jwks';

/** What others verify tokens of service accounts with: who issues them, and the keys. False where the path is another. */
export function serveIssuer({ accounts }: ResourcePorts, exchange: Exchange): boolean {
  const path = exchange.path.replace(/\/$/, '');
  const cacheControl = 'public, max-age=3600';
  if (path === '/.well-known/openid-configuration') {
    const host = header(exchange, ':authority') || header(exchange, 'host');
    const isPlain = 'encrypted' in exchange.request.socket ? !exchange.request.socket.encrypted : true;
    const body = {
      issuer,
      jwks_uri: `${isPlain ? 'http' : 'https'}://${host}${keySetPath}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
    send(exchange, { code: 200, mediaType: 'application/json', text: JSON.stringify(body), cacheControl });
    return true;
  }
  if (path !== keySetPath) return false;
  const accept = header(exchange, 'accept');
  if (accept !== '' && !accept.includes('*/*') && !accept.includes('application/*') && !accept.includes(keySetType))
    throw new Refusal({
      code: 406,
      reason: 'NotAcceptable',
      message: `406: Not Acceptable\n\nAvailable representations: ${keySetType}`,
      details: {},
    });
  send(exchange, { code: 200, mediaType: keySetType, text: JSON.stringify(accounts.keySet()), cacheControl });
  return true;
}
