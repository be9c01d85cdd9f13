import { randomBytes } from 'node:crypto';
import { at, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { ownWrite, timeText, type Access } from '../cluster.ts';
import { readDeleteOptions, remove } from '../operations/delete.ts';
import { read } from '../operations/read.ts';
import { commit } from '../operations/update.ts';
import { methodNotAllowed } from '../refusal.ts';
import { readBody, send, sendJson } from './exchange.ts';
import type { ResourcePorts, ResourceRequest } from './resource-request.ts';

type Serve = (ports: ResourcePorts, request: ResourceRequest) => Promise<void> | void;

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

const targetOf = ({ type, path }: ResourceRequest) => ({ type, namespace: path.namespace, name: path.name });

/** Nothing runs, so there is nothing to read: one honest line instead of output. */
function serveLog(ports: ResourcePorts, request: ResourceRequest): void {
  const pod = read(ports.cluster, targetOf(request));
  const names = listAt(pod, 'spec', 'containers').map((container) => stringAt(container, 'name') ?? '');
  const container = request.exchange.query.get('container') ?? names[0] ?? '';
  const text = `pods are simulated: container ${container} of ${pod.metadata.name ?? ''} runs nothing and writes no log\n`;
  send(request.exchange, { code: 200, mediaType: 'text/plain', text });
}

async function serveEviction(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const body = await readBody(request.exchange);
  remove(ports.cluster, targetOf(request), readDeleteOptions(at(body, 'deleteOptions'), request.exchange.query));
  sendJson(request.exchange, { code: 201, body: success });
}

async function serveBinding(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const body = await readBody(request.exchange);
  const live = read(ports.cluster, targetOf(request));
  const spec = typeof live['spec'] === 'object' ? live['spec'] : {};
  const next: KubeObject = { ...live, spec: { ...spec, nodeName: stringAt(body, 'target', 'name') ?? '' } };
  commit(ports.cluster, targetOf(request), { live, next, subresource: 'binding', options: ownWrite('kube-scheduler') });
  sendJson(request.exchange, { code: 201, body: success });
}

const accountPrefix = 'system:serviceaccount:';

/** So many tokens of service accounts are accepted; the oldest end first. */
const maxAccountTokens = 1000;

function dropOldTokens(tokens: ResourcePorts['tokens']): void {
  const issued = [...tokens].filter(([, user]) => user.name.startsWith(accountPrefix));
  for (const [token] of issued.slice(0, Math.max(0, issued.length - maxAccountTokens + 1))) tokens.delete(token);
}

/** A token for a service account: random text that this server accepts until it stops. It is no JWT. */
async function serveToken(ports: ResourcePorts, request: ResourceRequest): Promise<void> {
  const { path, exchange } = request;
  read(ports.cluster, targetOf(request));
  const body = await readBody(exchange);
  const seconds = numberAt(body, 'spec', 'expirationSeconds') ?? 3600;
  const token = randomBytes(32).toString('base64url');
  dropOldTokens(ports.tokens);
  ports.tokens.set(token, {
    name: `${accountPrefix}${path.namespace}:${path.name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${path.namespace}`],
  });
  const expirationTimestamp = timeText(new Date(ports.cluster.clock.now().getTime() + seconds * 1000));
  const spec = { audiences: ['https://kubernetes.default.svc'], expirationSeconds: seconds };
  const answer = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: path.name, namespace: path.namespace },
    spec,
    status: { token, expirationTimestamp },
  };
  sendJson(exchange, { code: 201, body: answer });
}

const notSimulated: Serve = (_ports, { type, path }) => {
  throw methodNotAllowed(type, `${path.subresource} of a simulated pod`);
};

const table: Readonly<Record<string, Serve>> = {
  'get pods/log': serveLog,
  'create pods/eviction': serveEviction,
  'create pods/binding': serveBinding,
  'create serviceaccounts/token': serveToken,
};

const unavailable = new Set(['exec', 'attach', 'portforward', 'proxy']);

/** The handler of a subresource with rules of its own; undefined when the general ones hold. */
export function special(resource: string, subresource: string, verb: Access['verb']): Serve | undefined {
  if (subresource === '') return undefined;
  if (unavailable.has(subresource)) return notSimulated;
  return table[`${verb} ${resource}/${subresource}`];
}
