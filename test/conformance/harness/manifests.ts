import type { KubeObject } from '@tiphys/api';

/** Annotations of hooks, waves and options, under short names. */
export type Marks = Readonly<{
  wave?: number | string;
  hook?: string;
  deletePolicy?: string;
  options?: string;
  annotations?: Readonly<Record<string, string>>;
  namespace?: string;
  labels?: Readonly<Record<string, string>>;
}>;

/** How the simulated kubelets of both clusters treat a pod. */
export type Fate = Readonly<{ outcome?: 'succeed' | 'fail' | 'never-ready' | 'crash'; duration?: string }>;

function metadata(name: string, marks: Marks): KubeObject['metadata'] {
  const prefix = 'argocd.argoproj.io';
  const annotations = {
    ...(marks.wave === undefined ? {} : { [`${prefix}/sync-wave`]: String(marks.wave) }),
    ...(marks.hook === undefined ? {} : { [`${prefix}/hook`]: marks.hook }),
    ...(marks.deletePolicy === undefined ? {} : { [`${prefix}/hook-delete-policy`]: marks.deletePolicy }),
    ...(marks.options === undefined ? {} : { [`${prefix}/sync-options`]: marks.options }),
    ...marks.annotations,
  };
  return {
    name,
    ...(marks.namespace === undefined ? {} : { namespace: marks.namespace }),
    ...(marks.labels === undefined ? {} : { labels: { ...marks.labels } }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

const podMetadata = (name: string, { outcome, duration }: Fate): object => ({
  labels: { app: name },
  annotations: {
    ...(outcome === undefined ? {} : { 'sim.tiphys.dev/outcome': outcome }),
    ...(duration === undefined ? {} : { 'sim.tiphys.dev/duration': duration }),
  },
});

export const configMap = (
  name: string,
  data: Readonly<Record<string, string>> = { key: 'one' },
  marks: Marks = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(name, marks),
  data,
});

export const secret = (name: string, stringData: Readonly<Record<string, string>>, marks: Marks = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: metadata(name, marks),
  stringData,
});

export const job = (name: string, marks: Marks & Fate = {}, spec: object = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: metadata(name, marks),
  spec: {
    backoffLimit: 0,
    template: {
      metadata: podMetadata(name, marks),
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.example/job:1' }] },
    },
    ...spec,
  },
});

/** What makes Deployments, ReplicaSets, StatefulSets or DaemonSets of one container. */
export const workload =
  (kind: string) =>
  (name: string, marks: Marks & Fate & { image?: string } = {}, spec: object = {}): KubeObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: metadata(name, marks),
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas: 1 }),
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: podMetadata(name, marks),
        spec: { containers: [{ name: 'main', image: marks.image ?? 'registry.example/app:1' }] },
      },
      ...spec,
    },
  });

export const deployment = workload('Deployment');

export const service = (name: string, marks: Marks = {}, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(name, marks),
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
});

/** Any other object; its type as `apiVersion Kind`. */
export const manifest = (type: string, name: string, rest: Marks & { body?: object } = {}): KubeObject => {
  const [apiVersion = '', kind = ''] = type.split(' ');
  return { apiVersion, kind, metadata: metadata(name, rest), ...rest.body };
};

/** A definition with one version (`v1`, unless the group says `group/version`) and no schema to speak of. */
export const customResourceDefinition = (groupVersion: string, kind: string, marks: Marks = {}): KubeObject => {
  const [group = '', version = 'v1'] = groupVersion.split('/');
  const plural = `${kind.toLowerCase()}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: metadata(`${plural}.${group}`, marks),
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
};
