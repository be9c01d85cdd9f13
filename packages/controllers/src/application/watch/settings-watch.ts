import { type KubeObject, stringAt } from '@tiphys/api';
import { type CacheChange, type ObjectCache, openCache } from '@tiphys/kube';
import {
  certificatesName,
  configMapData,
  type InstallationSettings,
  readSettings,
  type TrustedCertificates,
} from '@tiphys/operations';
import type { Destinations } from './destinations.ts';
import { type CachePorts, openFilledCache } from './filled-cache.ts';
import type { Repositories } from './repositories.ts';

const configMaps = { group: '', version: 'v1', kind: 'ConfigMap' } as const;
const secrets = { group: '', version: 'v1', kind: 'Secret' } as const;

/** The installation's settings, always current. A change that cannot be read leaves a warning and the default of that key. */
export interface SettingsWatch extends AsyncDisposable {
  readonly synced: Promise<void>;
  readonly current: InstallationSettings;
  onChange(listener: () => void): void;
}

/** Follows `argocd-cm` and `argocd-cmd-params-cm`. */
export async function watchSettings(ports: CachePorts, namespace: string, signal: AbortSignal): Promise<SettingsWatch> {
  const resource = await ports.client.resourceFor(configMaps, { signal });
  const open = (name: string): ObjectCache<ReturnType<typeof configMapData>> =>
    openCache(
      ports.client,
      { resource, namespace, fieldSelector: `metadata.name=${name}`, project: configMapData },
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
  ports: CachePorts & Readonly<{ destinations: Destinations; repositories: Repositories }>,
  namespace: string,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const resource = await ports.client.resourceFor(secrets, { signal });
  await using undo = new AsyncDisposableStack();
  const labelSelector = `${secretTypes} in (cluster,repository,repo-creds)`;
  const changed = (change: CacheChange<KubeObject>): void => {
    const secret = change.kind === 'deleted' ? change.before : change.after;
    const type = stringAt(secret, 'metadata', 'labels', secretTypes);
    if (type === 'cluster') ports.destinations[change.kind === 'deleted' ? 'secretDeleted' : 'secretChanged'](secret);
    else if (change.kind === 'deleted') ports.repositories.secretDeleted(secret);
    else if (type === 'repository' || type === 'repo-creds') ports.repositories.secretChanged(secret, type);
  };
  const project = (secret: KubeObject): KubeObject => secret;
  undo.use(await openFilledCache(ports, { resource, namespace, labelSelector, project, changed }, signal));
  const maps = await ports.client.resourceFor(configMaps, { signal });
  const certificates = {
    resource: maps,
    namespace,
    fieldSelector: `metadata.name=${certificatesName}`,
    project: configMapData,
    changed: (change: CacheChange<TrustedCertificates>) =>
      ports.repositories.certificatesChanged(change.kind === 'deleted' ? {} : change.after),
  };
  undo.use(await openFilledCache(ports, certificates, signal));
  return undo.move();
}
