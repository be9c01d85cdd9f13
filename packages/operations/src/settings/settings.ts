import {
  CodedError,
  defaultInstanceLabel,
  isRecord,
  nearestOf,
  parseYaml,
  type TrackingMethod,
  type TrackingSettings,
} from '@tiphys/api';
import { parseBytes, parseDuration } from '@tiphys/language';
import { type CompareSettings, readCompareSettings } from './compare-settings.ts';
import { knownKeys } from './known-keys.ts';

/** One entry of `resource.exclusions` or `resource.inclusions`: globs; an empty list matches everything. */
export type KindFilter = Readonly<{
  apiGroups: readonly string[];
  kinds: readonly string[];
  clusters: readonly string[];
}>;

/** What the ConfigMaps `argocd-cm` and `argocd-cmd-params-cm` say, with defaults filled in. Times in milliseconds. */
export type InstallationSettings = Readonly<{
  tracking: TrackingSettings;
  /** `timeout.reconciliation`: how often an application is compared when nothing happens (180 s). */
  refreshIntervalMs: number;
  /** `timeout.reconciliation.jitter`: random addition to the interval (0). */
  refreshJitterMs: number;
  /** `timeout.hard.reconciliation`: how often without any cache; 0 is never. */
  hardRefreshIntervalMs: number;
  /** `controller.status.processors` (20). */
  statusProcessors: number;
  /** `controller.operation.processors` (10). */
  operationProcessors: number;
  /** `controller.repo.server.timeout.seconds` (60): the longest wait for one render. */
  renderTimeoutMs: number;
  /** `controller.repo.error.grace.period.seconds` (180): how long a repository error leaves the last good state in place. */
  repositoryGraceMs: number;
  /** `controller.sync.wave.delay.seconds` (2). */
  waveDelayMs: number;
  /** `controller.sync.timeout.seconds`; 0 is none. */
  syncTimeoutMs: number;
  selfHeal: Readonly<{
    /** `controller.self.heal.timeout.seconds`: a fixed pause; 0 takes the back-off. */
    fixedMs: number;
    /** `controller.self.heal.backoff.{timeout.seconds,factor,cap.seconds}` (2 s, 3, 300 s). */
    firstMs: number;
    factor: number;
    capMs: number;
  }>;
  /** `controller.resource.health.persist`: health of each resource in `status.resources` (false). */
  persistResourceHealth: boolean;
  /** `application.namespaces`: globs of namespaces beside the control plane's whose Applications count. */
  applicationNamespaces: readonly string[];
  kustomize: KustomizeSettings;
  helm: Readonly<{ enabled: boolean; valuesFileSchemes: readonly string[] }>;
  jsonnetEnabled: boolean;
  /** `reposerver.max.combined.directory.manifests.size` (10M). */
  maxDirectoryBytes: number;
  /** `reposerver.helm.manifest.max.extracted.size` (1G), unless `reposerver.disable.helm.manifest.max.extracted.size`. */
  maxUnpackedChartBytes: number;
  /** `reposerver.include.hidden.directories`. */
  includeHiddenDirectories: boolean;
  exclusions: readonly KindFilter[];
  inclusions: readonly KindFilter[];
  /** `resource.compareoptions` and the installation's ignore rules. */
  compare: CompareSettings;
}>;

/** What `argocd-cm` says about Kustomize. */
export type KustomizeSettings = Readonly<{
  enabled: boolean;
  /** `kustomize.buildOptions`. */
  buildOptions: readonly string[];
  /** `kustomize.buildOptions.<version>`: these count for that version in place of the others. */
  buildOptionsOf: Readonly<Record<string, readonly string[]>>;
  /** `kustomize.path.<version>`, and `kustomize.version.<version>` as it was called before: the programs of other versions. */
  paths: Readonly<Record<string, string>>;
}>;

/** The data of the two ConfigMaps; empty where one is absent. */
export type SettingsInput = Readonly<{
  cm: Readonly<Record<string, string>>;
  params: Readonly<Record<string, string>>;
}>;

const shippedExclusions: readonly KindFilter[] = [
  { apiGroups: ['', 'discovery.k8s.io'], kinds: ['Endpoints', 'EndpointSlice'], clusters: ['*'] },
  { apiGroups: ['coordination.k8s.io'], kinds: ['Lease'], clusters: ['*'] },
  { apiGroups: ['authentication.k8s.io', 'authorization.k8s.io'], kinds: ['*'], clusters: ['*'] },
  { apiGroups: ['certificates.k8s.io'], kinds: ['CertificateSigningRequest'], clusters: ['*'] },
  { apiGroups: ['cert-manager.io'], kinds: ['CertificateRequest'], clusters: ['*'] },
  { apiGroups: ['cilium.io'], kinds: ['CiliumIdentity', 'CiliumEndpoint', 'CiliumEndpointSlice'], clusters: ['*'] },
  {
    apiGroups: ['kyverno.io', 'reports.kyverno.io', 'wgpolicyk8s.io'],
    kinds: [
      'PolicyReport',
      'ClusterPolicyReport',
      'EphemeralReport',
      'ClusterEphemeralReport',
      'AdmissionReport',
      'ClusterAdmissionReport',
      'BackgroundScanReport',
      'ClusterBackgroundScanReport',
      'UpdateRequest',
    ],
    clusters: ['*'],
  },
];

/** Reads typed values out of one ConfigMap; a bad value is reported and its default taken, so that one typing error stops nothing. */
type Form<T> = Readonly<{ parse: (text: string) => T | undefined; wanted: string }>;

const durationForm: Form<number> = { parse: durationMs, wanted: 'a duration such as 180s' };
const integer = (text: string): number | undefined => (/^-?\d+$/.test(text) ? Number(text) : undefined);
const secondsForm: Form<number> = { parse: integer, wanted: 'a whole number of seconds' };
const countForm: Form<number> = { parse: integer, wanted: 'a whole number' };
const flagForm: Form<boolean> = {
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  wanted: 'true or false',
};
const sizeForm: Form<number> = { parse: bytesOf, wanted: 'a size above 0 such as 10M' };
const filtersForm: Form<readonly KindFilter[]> = {
  parse: kindFilters,
  wanted: 'a YAML list of apiGroups, kinds, clusters',
};

function reader(data: Readonly<Record<string, string>>, where: string, warnings: string[]) {
  const value = <T>(key: string, fallback: T, { parse, wanted }: Form<T>): T => {
    const text = data[key];
    if (text === undefined || text === '') return fallback;
    const parsed = parse(text.trim());
    if (parsed === undefined) warnings.push(`${where}: ${key} is not ${wanted}; the default is used`);
    return parsed ?? fallback;
  };
  return {
    duration: (key: string, fallbackMs: number) => value(key, fallbackMs, durationForm),
    seconds: (key: string, fallback: number) => value(key, fallback, secondsForm) * 1000,
    count: (key: string, fallback: number) => value(key, fallback, countForm),
    bytes: (key: string, fallback: number) => value(key, fallback, sizeForm),
    flag: (key: string, fallback: boolean) => value(key, fallback, flagForm),
    words: (key: string, fallback: readonly string[], separator: RegExp): readonly string[] => {
      const text = data[key];
      return text === undefined ? fallback : words(text, separator);
    },
    filters: (key: string, fallback: readonly KindFilter[]) => value(key, fallback, filtersForm),
  };
}

function durationMs(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}

function bytesOf(text: string): number | undefined {
  try {
    return parseBytes(text);
  } catch {
    return undefined;
  }
}

const words = (text: string, separator = /\s+/): readonly string[] =>
  text.split(separator).filter((word) => word !== '');

/** The keys of a family, by what follows the family's name. */
const familyOf = (cm: SettingsInput['cm'], family: string): readonly (readonly [string, string])[] =>
  Object.entries(cm).flatMap(([key, value]) =>
    key.startsWith(family) && key !== family && value.trim() !== '' ? [[key.slice(family.length), value.trim()]] : [],
  );

const readKustomize = (cm: SettingsInput['cm'], enabled: boolean): KustomizeSettings => ({
  enabled,
  buildOptions: words(cm['kustomize.buildOptions'] ?? ''),
  buildOptionsOf: Object.fromEntries(
    familyOf(cm, 'kustomize.buildOptions.').map(([version, text]) => [version, words(text)]),
  ),
  paths: Object.fromEntries([...familyOf(cm, 'kustomize.version.'), ...familyOf(cm, 'kustomize.path.')]),
});

function kindFilters(text: string): readonly KindFilter[] | undefined {
  const list = yamlOrUndefined(text);
  if (!Array.isArray(list) || !list.every(isRecord)) return undefined;
  const words = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  return list.map(({ apiGroups, kinds, clusters }) => ({
    apiGroups: words(apiGroups),
    kinds: words(kinds),
    clusters: words(clusters),
  }));
}

function yamlOrUndefined(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

const methods: readonly string[] = ['annotation', 'label', 'annotation+label'] satisfies TrackingMethod[];
const isMethod = (text: string): text is TrackingMethod => methods.includes(text);

function readTracking(cm: Readonly<Record<string, string>>, warnings: string[]): TrackingSettings {
  const method = cm['application.resourceTrackingMethod'] ?? 'annotation';
  if (!isMethod(method))
    warnings.push(`argocd-cm: application.resourceTrackingMethod "${method}" is none of ${methods.join(', ')}`);
  return {
    method: isMethod(method) ? method : 'annotation',
    instanceLabelKey: cm['application.instanceLabelKey'] ?? defaultInstanceLabel,
    installationId: cm.installationID ?? '',
  };
}

function unknownKeys(data: Readonly<Record<string, string>>, where: keyof typeof knownKeys): string[] {
  const { exact, prefixes } = knownKeys[where];
  const isKnown = (key: string): boolean => exact.has(key) || prefixes.some((prefix) => key.startsWith(prefix));
  return Object.keys(data)
    .filter((key) => !isKnown(key))
    .map((key) => {
      const guess = nearestOf(key, [...exact]);
      return `${where}: unknown key ${key}${guess === undefined ? '' : `; did you mean ${guess}?`}`;
    });
}

/** Reads the settings. Never fails: what cannot be read is a warning and a default, and the last good state is the caller's to keep. */
export function readSettings({ cm, params }: SettingsInput): {
  settings: InstallationSettings;
  warnings: readonly string[];
} {
  const warnings = [...unknownKeys(cm, 'argocd-cm'), ...unknownKeys(params, 'argocd-cmd-params-cm')];
  const main = reader(cm, 'argocd-cm', warnings);
  const param = reader(params, 'argocd-cmd-params-cm', warnings);
  // DISC-38: the interval belongs into argocd-cm; documents put it into the other one, where it is read with a warning.
  const misplaced = param.duration('timeout.reconciliation', 180_000);
  if ('timeout.reconciliation' in params)
    warnings.push(
      'argocd-cmd-params-cm: timeout.reconciliation belongs into argocd-cm, which wins where both have it (DISC-38)',
    );
  const settings: InstallationSettings = {
    tracking: readTracking(cm, warnings),
    refreshIntervalMs: main.duration('timeout.reconciliation', misplaced),
    refreshJitterMs: main.duration('timeout.reconciliation.jitter', 0),
    hardRefreshIntervalMs: main.duration('timeout.hard.reconciliation', 0),
    statusProcessors: param.count('controller.status.processors', 20),
    operationProcessors: param.count('controller.operation.processors', 10),
    renderTimeoutMs: param.seconds('controller.repo.server.timeout.seconds', 60),
    repositoryGraceMs: param.seconds('controller.repo.error.grace.period.seconds', 180),
    waveDelayMs: param.seconds('controller.sync.wave.delay.seconds', 2),
    syncTimeoutMs: param.seconds('controller.sync.timeout.seconds', 0),
    selfHeal: {
      fixedMs: param.seconds('controller.self.heal.timeout.seconds', 0),
      firstMs: param.seconds('controller.self.heal.backoff.timeout.seconds', 2),
      factor: param.count('controller.self.heal.backoff.factor', 3),
      capMs: param.seconds('controller.self.heal.backoff.cap.seconds', 300),
    },
    persistResourceHealth: param.flag('controller.resource.health.persist', false),
    applicationNamespaces: param.words('application.namespaces', [], /[\s,]+/),
    kustomize: readKustomize(cm, main.flag('kustomize.enable', true)),
    helm: {
      enabled: main.flag('helm.enable', true),
      valuesFileSchemes: main.words('helm.valuesFileSchemes', ['http', 'https'], /[\s,]+/),
    },
    jsonnetEnabled: main.flag('jsonnet.enable', true),
    maxDirectoryBytes: param.bytes('reposerver.max.combined.directory.manifests.size', 10_000_000),
    maxUnpackedChartBytes: param.flag('reposerver.disable.helm.manifest.max.extracted.size', false)
      ? Number.MAX_SAFE_INTEGER
      : param.bytes('reposerver.helm.manifest.max.extracted.size', 1_000_000_000),
    includeHiddenDirectories: param.flag('reposerver.include.hidden.directories', false),
    exclusions: main.filters('resource.exclusions', shippedExclusions),
    inclusions: main.filters('resource.inclusions', []),
    compare: readCompareSettings(cm, warnings),
  };
  return { settings, warnings };
}
