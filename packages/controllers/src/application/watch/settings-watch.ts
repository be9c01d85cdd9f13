import { type Clock, isRecord, type Logger, stringAt, within } from '@tiphys/api';
import { type KubeClient, type ObjectCache, openCache } from '@tiphys/kube';
import { certificatesName, type InstallationSettings, readCertificates, readSettings } from '@tiphys/operations';
import type { Destinations } from './destinations.ts';
import type { Repositories } from './repositories.ts';

type Data = Readonly<Record<string, string>>;

const configMaps = { group: '', version: 'v1', kind: 'ConfigMap' } as const;
const secrets = { group: '', version: 'v1', kind: 'Secret' } as const;

const textData = (value: unknown): Data =>
  isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
    : {};

/** The installation's settings, always current. A change that cannot be read leaves a warning and the default of that key. */
export interface SettingsWatch extends AsyncDisposable {
  readonly synced: Promise<void>;
  readonly current: InstallationSettings;
  onChange(listener: () => void): void;
}

type Ports = Readonly<{ client: KubeClient; clock: Clock; log: Logger }>;

/** Follows `argocd-cm` and `argocd-cmd-params-cm`. */
export async function watchSettings(ports: Ports, namespace: string, signal: AbortSignal): Promise<SettingsWatch> {
  const resource = await ports.client.resourceFor(configMaps, { signal });
  const open = (name: string): ObjectCache<Data> =>
    openCache<Data>(
      ports.client,
      { resource, namespace, fieldSelector: `metadata.name=${name}`, project: ({ data }) => textData(data) },
      ports,
    );
  const cm = open('argocd-cm');
  const params = open('argocd-cmd-params-cm');
  const read = () => readSettings({ cm: cm.list()[0] ?? {}, params: params.list()[0] ?? {} });
  const listeners: (() => void)[] = [];
  let { settings } = read();
  const reread = (): void => {
    const { settings: next, warnings } = read();
    settings = next;
    for (const warning of warnings) ports.log.warn('setting', { warning });
    for (const listener of listeners) listener();
  };
  cm.onChange(reread);
  params.onChange(reread);
  return {
    synced: Promise.all([cm.synced, params.synced]).then(() => undefined),
    get current() {
      return settings;
    },
    onChange: (listener) => {
      listeners.push(listener);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([cm.stop(), params.stop()]);
    },
  };
}

const secretTypes = 'argocd.argoproj.io/secret-type';

/** Follows the Secrets that register clusters and repositories, and the certificates of hosts. Resolves once all are read. */
export async function watchRegistrations(
  ports: Ports & Readonly<{ destinations: Destinations; repositories: Repositories }>,
  namespace: string,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const resource = await ports.client.resourceFor(secrets, { signal });
  await using undo = new AsyncDisposableStack();
  const labelSelector = `${secretTypes} in (cluster,repository,repo-creds)`;
  const cache = openCache(ports.client, { resource, namespace, labelSelector, project: (secret) => secret }, ports);
  undo.defer(() => cache.stop());
  cache.onChange((change) => {
    const secret = change.kind === 'deleted' ? change.before : change.after;
    const type = stringAt(secret, 'metadata', 'labels', secretTypes);
    if (type === 'cluster') ports.destinations[change.kind === 'deleted' ? 'secretDeleted' : 'secretChanged'](secret);
    else if (change.kind === 'deleted') ports.repositories.secretDeleted(secret);
    else if (type === 'repository' || type === 'repo-creds') ports.repositories.secretChanged(secret, type);
  });
  const maps = await ports.client.resourceFor(configMaps, { signal });
  const fieldSelector = `metadata.name=${certificatesName}`;
  const certificates = openCache(
    ports.client,
    { resource: maps, namespace, fieldSelector, project: ({ data }) => readCertificates(data) },
    ports,
  );
  undo.defer(() => certificates.stop());
  certificates.onChange(() => ports.repositories.certificatesChanged(certificates.list()[0] ?? {}));
  await within(Promise.all([cache.synced, certificates.synced]), signal);
  return undo.move();
}
