import { at, isRecord, listAt, stringAt, type KubeObject } from '@tiphys/api';
import { keyText, splitKey, type Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

/** `none` on a Service or Ingress leaves it without an address, as where no load balancer is installed. */
export const addressAnnotation = 'sim.tiphys.dev/address';

const resources = ['services', 'ingresses.networking.k8s.io'] as const;

const ingressOf = (object: KubeObject): readonly unknown[] => listAt(object, 'status', 'loadBalancer', 'ingress');

/** The lowest address of 198.18.0.0/15 (reserved for tests) that nobody has. */
function freeAddress(bench: Workbench): string {
  const used = new Set(
    resources
      .flatMap((resource) => bench.list(resource))
      .flatMap((object) => ingressOf(object).map((entry) => stringAt(entry, 'ip'))),
  );
  let number = 1;
  const text = (): string => `198.${18 + ((number >> 16) & 1)}.${(number >> 8) & 255}.${number & 255}`;
  while (used.has(text())) number++;
  return text();
}

function serve(object: KubeObject, bench: Workbench): void {
  const isService = object.kind === 'Service';
  const wanted = !isService || stringAt(object, 'spec', 'type') === 'LoadBalancer';
  const has = ingressOf(object).length > 0;
  if (object.metadata.deletionTimestamp !== undefined || wanted === has) return;
  if (
    wanted &&
    (object.metadata.annotations?.[addressAnnotation] === 'none' ||
      at(object, 'spec', 'loadBalancerClass') !== undefined)
  )
    return;
  const status = isRecord(object['status']) ? object['status'] : {};
  const entry = { ip: wanted ? freeAddress(bench) : '', ...(isService && { ipMode: 'VIP' }) };
  bench.updateStatus(
    object,
    { ...status, loadBalancer: wanted ? { ingress: [entry] } : {} },
    'cloud-controller-manager',
  );
}

/** Gives Services of type LoadBalancer and Ingresses an address. */
export const loadBalancers = (bench: Workbench): Controller => ({
  name: 'load-balancer',
  concerns: ({ resource, object }) =>
    resources.some((known) => known === resource)
      ? [`${resource}|${keyText(object.metadata.namespace ?? '', object.metadata.name ?? '')}`]
      : [],
  reconcile: (key) => {
    const bar = key.indexOf('|');
    const object = bench.get({ resource: key.slice(0, bar), ...splitKey(key.slice(bar + 1)) });
    if (object !== undefined) serve(object, bench);
    return undefined;
  },
});
