import { at, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { ownWrite, timeText, type Access } from '../cluster.ts';
import { readDeleteOptions, remove } from '../operations/delete.ts';
import { read } from '../operations/read.ts';
import { commit } from '../operations/update.ts';
import { StatusError } from '../../schema/status-error.ts';
import { mayEvict, spend } from '../../controllers/disruption-budget.ts';
import { methodNotAllowed, Refusal } from '../refusal.ts';
import { readBody, send, sendJson } from './exchange.ts';
import type { ResourcePorts, ResourceRequest } from './resource-request.ts';
import { serveTokenRequest } from './token-request.ts';

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
  const { cluster } = ports;
  const target = targetOf(request);
  const options = readDeleteOptions(at(body, 'deleteOptions'), request.exchange.query);
  const verdict = mayEvict(read(cluster, target), cluster);
  if (verdict.kind === 'too-many')
    throw new StatusError({
      code: 500,
      reason: 'InternalError',
      message: `Internal error occurred: This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.`,
    });
  if (verdict.kind === 'refuse')
    throw new Refusal({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      causes: [
        {
          reason: 'DisruptionBudget',
          message: `The disruption budget ${verdict.budget} needs ${verdict.needed} healthy pods and has ${verdict.healthy} currently`,
        },
      ],
      details: {},
    });
  remove(cluster, target, options);
  if (verdict.kind === 'spend' && !options.dryRun)
    spend(verdict.budget, target.name, { cluster, now: timeText(cluster.clock.now()) });
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

const notSimulated: Serve = (_ports, { type, path }) => {
  throw methodNotAllowed(type, `${path.subresource} of a simulated pod`);
};

const table: Readonly<Record<string, Serve>> = {
  'get pods/log': serveLog,
  'create pods/eviction': serveEviction,
  'create pods/binding': serveBinding,
  'create serviceaccounts/token': serveTokenRequest,
};

const unavailable = new Set(['exec', 'attach', 'portforward', 'proxy']);

/** The handler of a subresource with rules of its own; undefined when the general ones hold. */
export function special(resource: string, subresource: string, verb: Access['verb']): Serve | undefined {
  if (subresource === '') return undefined;
  if (unavailable.has(subresource)) return notSimulated;
  return table[`${verb} ${resource}/${subresource}`];
}
