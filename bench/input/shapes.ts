/** The kinds of applications that the benches work on: what each has in Git, which file an edit changes, and its source. */
import { stringifyYaml, type ApplicationSource } from '@tiphys/api';

/** Path from the repository's root to text. */
export type Files = Readonly<Record<string, string>>;

/** One kind of application. `version` is a number that shows up in the rendered objects: an edit raises it. */
export type Shape = Readonly<{
  files: (name: string, index: number) => Files;
  /** The one file that is this application's own and carries its version. */
  own: (name: string, version: number) => Files;
  sources: (name: string, repoURL: string) => readonly ApplicationSource[];
}>;

const yaml = (...objects: readonly object[]): string => objects.map((object) => stringifyYaml(object)).join('---\n');

const configMap = (name: string, data: Readonly<Record<string, string>>): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

/** About what people keep in a ConfigMap: a few settings and a small file. */
const settings = (seed: string): Record<string, string> => ({
  'log.level': 'info',
  endpoint: `https://${seed}.example.com/api`,
  'app.properties': Array.from({ length: 8 }, (_, line) => `${seed}.setting.${line}=value ${line}`).join('\n'),
});

const plain: Shape = {
  files: (name) =>
    Object.fromEntries(
      [1, 2, 3, 4].map((number) => [
        `apps/${name}/settings-${number}.yaml`,
        yaml(configMap(`${name}-${number}`, settings(`${name}-${number}`))),
      ]),
    ),
  own: (name, version) => ({
    [`apps/${name}/settings-0.yaml`]: yaml(
      configMap(`${name}-0`, { ...settings(`${name}-0`), version: String(version) }),
    ),
  }),
  sources: (name, repoURL) => [{ repoURL, targetRevision: 'main', path: `apps/${name}` }],
};

/**
 * No pod is asked for: the benches measure the controller, and a thousand pods would have the cluster's own controllers take the
 * cores away from it. A Deployment without replicas is Healthy as soon as its controller has seen it.
 */
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: { app: {{ .Release.Name }} }
  template:
    metadata:
      labels: {{- include "labels" . | nindent 8 }}
    spec:
      containers:
        - name: main
          image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
          env:
            {{- range $name, $value := .Values.env }}
            - name: {{ $name }}
              value: {{ $value | quote }}
            {{- end }}
`;

const chartFiles = (folder: string, name: string): Files => ({
  [`${folder}/Chart.yaml`]: yaml({ apiVersion: 'v2', name, version: '1.0.0', type: 'application' }),
  [`${folder}/templates/_helpers.tpl`]:
    '{{- define "labels" -}}\napp: {{ .Release.Name }}\nchart: {{ .Chart.Name }}\n{{- end }}\n',
  [`${folder}/templates/deployment.yaml`]: deployment,
  [`${folder}/templates/service.yaml`]:
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n' +
    '  selector: { app: {{ .Release.Name }} }\n  ports: [{ name: http, port: {{ .Values.port }}, targetPort: 8080 }]\n',
  [`${folder}/templates/configmap.yaml`]:
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n' +
    '  version: {{ .Values.version | quote }}\n  env: |\n    {{- toYaml .Values.env | nindent 4 }}\n',
});

const chartValues = (name: string, version: number): string =>
  yaml({
    version,
    replicas: 0,
    port: 80,
    image: { repository: `registry.example.com/${name}`, tag: '1.2.3' },
    env: { LOG_LEVEL: 'info', ENDPOINT: `https://${name}.example.com` },
  });

const helm: Shape = {
  files: (name) => chartFiles(`apps/${name}`, name),
  own: (name, version) => ({ [`apps/${name}/values.yaml`]: chartValues(name, version) }),
  sources: (name, repoURL) => [{ repoURL, targetRevision: 'main', path: `apps/${name}` }],
};

/** How many overlays share a base. */
export const baseSize = 40;

const baseFolder = (group: number): string => `bases/base-${String(group).padStart(3, '0')}`;

/** A base's files; `version` shows up in every overlay on it. */
export const baseFiles = (group: number, version: number): Files => ({
  [`${baseFolder(group)}/kustomization.yaml`]: yaml({
    resources: ['deployment.yaml', 'service.yaml', 'settings.yaml'],
  }),
  [`${baseFolder(group)}/deployment.yaml`]: yaml({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'main' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'main' } },
      template: {
        metadata: { labels: { app: 'main' } },
        spec: { containers: [{ name: 'main', image: 'registry.example.com/main:1.2.3' }] },
      },
    },
  }),
  [`${baseFolder(group)}/service.yaml`]: yaml({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'main' },
    spec: { selector: { app: 'main' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  }),
  [`${baseFolder(group)}/settings.yaml`]: yaml(configMap('settings', { base: String(version) })),
});

const overlay = (name: string, group: number): Files => ({
  [`apps/${name}/kustomization.yaml`]: yaml({
    namePrefix: `${name}-`,
    resources: [`../../${baseFolder(group)}`],
    labels: [{ pairs: { application: name }, includeSelectors: true }],
    patches: [{ path: 'settings-patch.yaml' }],
  }),
});

const kustomize: Shape = {
  files: (name, index) => overlay(name, Math.floor(index / baseSize)),
  own: (name, version) => ({
    [`apps/${name}/settings-patch.yaml`]: yaml(configMap('settings', { version: String(version) })),
  }),
  sources: plain.sources,
};

/** Values in one place, the chart in another, both as sources of one application. */
const multiSource: Shape = {
  files: () => chartFiles('charts/worker', 'worker'),
  own: (name, version) => ({ [`values/${name}.yaml`]: chartValues(name, version) }),
  sources: (name, repoURL) => [
    {
      repoURL,
      targetRevision: 'main',
      path: 'charts/worker',
      helm: { valueFiles: [`$values/values/${name}.yaml`] },
    },
    { repoURL, targetRevision: 'main', ref: 'values' },
  ],
};

export const shapes = { plain, helm, kustomize, 'multi-source': multiSource } as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof shapes;
