import { at, isRecord, listAt, numberAt, stringAt, type KubeObject } from '@tiphys/api';
import { keyText, splitKey, type Controller } from './controller.ts';
import { isReady } from './template.ts';
import { controllerReference, type Workbench } from './workbench.ts';
import { equal } from '../server/equal.ts';

const resource = 'services';

const zoneLabel = 'topology.kubernetes.io/zone';

const selectorOf = (service: KubeObject): Readonly<Record<string, unknown>> | undefined => {
  const selector = at(service, 'spec', 'selector');
  // The other end of an ExternalName is no pod, whatever it selects.
  if (at(service, 'spec', 'type') === 'ExternalName') return undefined;
  return isRecord(selector) && Object.keys(selector).length > 0 ? selector : undefined;
};

const selects = (service: KubeObject, pod: KubeObject): boolean => {
  const selector = selectorOf(service);
  return (
    selector !== undefined && Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value)
  );
};

const isServing = (pod: KubeObject): boolean =>
  stringAt(pod, 'status', 'podIP') !== undefined &&
  !['Failed', 'Succeeded'].includes(stringAt(pod, 'status', 'phase') ?? '');

/** The number behind a target port, by the name of a container's port where it is one. */
function portNumber(port: unknown, pods: readonly KubeObject[]): number {
  const target = at(port, 'targetPort');
  if (typeof target !== 'string') return typeof target === 'number' ? target : (numberAt(port, 'port') ?? 0);
  const ports = pods
    .flatMap((pod) => listAt(pod, 'spec', 'containers'))
    .flatMap((container) => listAt(container, 'ports'));
  return (
    numberAt(
      ports.find((entry) => at(entry, 'name') === target),
      'containerPort',
    ) ?? 0
  );
}

type Ports = readonly Readonly<{ name: string; port: number; protocol: string }>[];

const portsOf = (service: KubeObject, pods: readonly KubeObject[]): Ports =>
  listAt(service, 'spec', 'ports').map((port) => ({
    name: stringAt(port, 'name') ?? '',
    port: portNumber(port, pods),
    protocol: stringAt(port, 'protocol') ?? 'TCP',
  }));

const reference = (pod: KubeObject): Record<string, unknown> => ({
  kind: 'Pod',
  name: pod.metadata.name,
  namespace: pod.metadata.namespace,
  uid: pod.metadata.uid,
});

function writeEndpoints(service: KubeObject, pods: readonly KubeObject[], bench: Workbench): void {
  const { namespace = '', name = '', labels } = service.metadata;
  const address = (pod: KubeObject): Record<string, unknown> => ({
    ip: stringAt(pod, 'status', 'podIP'),
    nodeName: stringAt(pod, 'spec', 'nodeName'),
    targetRef: reference(pod),
  });
  const [ready, unready] = [pods.filter(isReady), pods.filter((pod) => !isReady(pod))];
  const ports = portsOf(service, pods).map(({ name: portName, ...port }) => ({
    ...(portName !== '' && { name: portName }),
    ...port,
  }));
  const subset = {
    ...(ready.length > 0 && { addresses: ready.map(address) }),
    ...(unready.length > 0 && { notReadyAddresses: unready.map(address) }),
    ...(ports.length > 0 && { ports }),
  };
  const subsets = pods.length === 0 ? undefined : [subset];
  const present = bench.get({ resource: 'endpoints', namespace, name });
  if (present !== undefined && equal(present['subsets'], subsets)) return;
  const managed = { ...labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
  const next: KubeObject = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...present?.metadata, name, namespace, labels: managed },
    ...(subsets !== undefined && { subsets }),
  };
  if (present === undefined) bench.create(next);
  else bench.update(next);
}

function writeSlice(service: KubeObject, pods: readonly KubeObject[], bench: Workbench): void {
  const { namespace = '', name = '', labels } = service.metadata;
  const endpoints = pods.map((pod) => ({
    addresses: [stringAt(pod, 'status', 'podIP')],
    conditions: {
      ready: isReady(pod),
      serving: isReady(pod),
      terminating: pod.metadata.deletionTimestamp !== undefined,
    },
    nodeName: stringAt(pod, 'spec', 'nodeName'),
    targetRef: reference(pod),
    ...(pod.metadata.labels?.[zoneLabel] !== undefined && { zone: pod.metadata.labels[zoneLabel] }),
  }));
  const ports = portsOf(service, pods);
  const [present] = bench.controlled(service, 'EndpointSlice');
  if (present !== undefined && equal(present['endpoints'], endpoints) && equal(present['ports'], ports)) return;
  const metadata = {
    ...present?.metadata,
    ...(present === undefined && { generateName: `${name}-` }),
    namespace,
    labels: {
      ...labels,
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      'kubernetes.io/service-name': name,
    },
    ownerReferences: [controllerReference(service)],
  };
  const next: KubeObject = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    endpoints,
    ports,
  };
  if (present === undefined) bench.create(next);
  else bench.update(next);
}

/** Lists the addresses behind a Service, as Endpoints and as one EndpointSlice. */
export const endpoints = (bench: Workbench): Controller => ({
  name: 'endpoints',
  concerns: (event) => {
    const { namespace = '', name = '' } = event.object.metadata;
    if (event.resource === resource) return [keyText(namespace, name)];
    if (event.resource !== 'pods') return [];
    return bench
      .list(resource, namespace)
      .filter(
        (service) =>
          selects(service, event.object) || (event.previous !== undefined && selects(service, event.previous)),
      )
      .map((service) => keyText(namespace, service.metadata.name ?? ''));
  },
  reconcile: (key) => {
    const place = splitKey(key);
    const service = bench.get({ resource, ...place });
    if (service === undefined) {
      const left = bench.get({ resource: 'endpoints', ...place });
      if (left?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== undefined) bench.remove(left);
      return undefined;
    }
    if (selectorOf(service) === undefined || service.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = bench.list('pods', place.namespace).filter((pod) => selects(service, pod) && isServing(pod));
    writeEndpoints(service, pods, bench);
    writeSlice(service, pods, bench);
    return undefined;
  },
});
