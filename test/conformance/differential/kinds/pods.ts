import type { Random } from '../random.ts';
import { field, made, type Field, type Value } from './field.ts';
import * as details from './pod-details.ts';

const images = ['nginx', 'nginx:1.27', 'registry.example.com:5000/team/app@sha256:0123', 'busybox:latest'];

export function container(random: Random, name: string): Record<string, unknown> {
  const optional: Record<string, unknown> = {
    ports: random.pick([
      [{ containerPort: 80 }],
      [
        { containerPort: 80, name: 'http' },
        { containerPort: 53, protocol: 'UDP' },
      ],
      [
        { containerPort: 80, protocol: 'TCP' },
        { containerPort: 8080, protocol: 'TCP', hostPort: 0 },
      ],
      [],
    ]),
    env: random.pick([
      [{ name: 'A', value: '1' }],
      [
        { name: 'A', value: '' },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ],
      [{ name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } }],
    ]),
    resources: random.pick([
      { limits: { cpu: 0.5, memory: '1024Mi' } },
      { requests: { cpu: '1000m', memory: '1.5Gi' }, limits: { cpu: '2' } },
      { requests: { cpu: '100m' } },
      {},
      { requests: { memory: '128Mi', 'ephemeral-storage': '1e9' } },
    ]),
    livenessProbe: random.pick([
      { httpGet: { port: 80 } },
      { tcpSocket: { port: 'http' }, initialDelaySeconds: 0, periodSeconds: 3 },
      { exec: { command: ['true'] }, successThreshold: 1 },
    ]),
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, timeoutSeconds: 2 },
    args: random.pick([[], ['a'], ['a', 'b']]),
    command: ['sh', '-c', 'true'],
    imagePullPolicy: random.pick(['Always', 'Never', 'IfNotPresent', 'Sometimes']),
    securityContext: random.pick([{ runAsNonRoot: true }, { privileged: false }, ...details.containerSecurityContexts]),
    tty: random.pick([true, false]),
    workingDir: '/srv',
    lifecycle: random.pick(details.lifecycles),
    startupProbe: random.pick(details.probes),
    envFrom: random.pick(details.environmentSources),
  };
  const chosen = random.some(Object.keys(optional), 0.2).map((key): [string, unknown] => [key, optional[key]]);
  return { name, image: random.pick(images), ...Object.fromEntries(chosen) };
}

export const containers: Value = (random) =>
  random
    .pick([['main'], ['main'], ['main', 'side'], ['side', 'main'], ['main', 'main']])
    .map((name) => container(random, name));

const volumes: Value = (random) =>
  random.some(
    [
      { name: 'empty' },
      { name: 'config', configMap: { name: 'c' } },
      { name: 'secret', secret: { secretName: 's', items: [{ key: 'a', path: 'b' }] } },
      { name: 'host', hostPath: { path: '/tmp' } },
      { name: 'claim', persistentVolumeClaim: { claimName: 'p' } },
      { name: 'down', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      {
        name: 'all',
        projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'c' } }] },
      },
      { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '1024Mi' } },
    ],
    0.3,
  );

/** Fields of a pod, below a prefix. */
export const podFields = (prefix: string, restart: readonly string[]): Field[] => [
  made(`${prefix}.containers`, containers),
  made(`${prefix}.containers`, containers),
  made(`${prefix}.initContainers`, (random) => [container(random, 'init')]),
  made(`${prefix}.volumes`, volumes),
  field(`${prefix}.restartPolicy`, ...restart),
  field(`${prefix}.terminationGracePeriodSeconds`, 0, 5, 30),
  field(`${prefix}.nodeSelector`, { disk: 'ssd' }, {}, { disk: 'ssd', zone: 'a' }),
  field(`${prefix}.hostNetwork`, true, false),
  field(`${prefix}.securityContext`, ...details.podSecurityContexts),
  field(`${prefix}.serviceAccountName`, 'default', ''),
  field(`${prefix}.tolerations`, ...details.tolerations),
  field(`${prefix}.dnsPolicy`, 'Default', 'ClusterFirst', 'Nowhere'),
  field(`${prefix}.imagePullSecrets`, [{ name: 'pull' }], [{ name: 'pull' }, { name: 'other' }]),
  field(`${prefix}.affinity`, ...details.affinities),
  field(`${prefix}.topologySpreadConstraints`, ...details.spreads),
  field(`${prefix}.dnsConfig`, ...details.dnsConfigs),
  field(`${prefix}.hostAliases`, ...details.hostAliases),
  ...Object.entries(details.podExtras).map(([name, values]) => field(`${prefix}.${name}`, ...values)),
];

/** What every template of pods has. */
export const templateBase = (random: Random, restartPolicy?: string): Record<string, unknown> => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [container(random, 'main')], ...(restartPolicy !== undefined && { restartPolicy }) },
});

/** What every workload has. */
export const workload = { selector: { matchLabels: { app: 'x' } } };
/** Fields of a workload around its template. */
export const selectorFields = [
  field('spec.selector', { matchLabels: { app: 'x' } }, { matchLabels: { app: 'y' } }, { matchLabels: {} }),
  field('spec.template.metadata.labels', { app: 'x' }, { app: 'x', more: 'yes' }, { other: 'z' }),
  field('spec.template.metadata.annotations', { a: 'b' }, {}, { a: 'c' }),
  field('spec.replicas', 0, 1, 3, -1, null),
  field('spec.replicas', 2, 5),
  field('spec.minReadySeconds', 0, 10),
  field('spec.revisionHistoryLimit', 0, 5),
];
