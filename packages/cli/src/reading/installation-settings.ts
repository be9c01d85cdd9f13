import { configMapData, type InstallationSettings, type OperationPorts, readSettings } from '@tiphys/operations';

/** What `argocd-cm` and `argocd-cmd-params-cm` say; defaults where they are not there. */
export async function installationSettings(ports: OperationPorts, signal: AbortSignal): Promise<InstallationSettings> {
  const gvk = { group: '', version: 'v1', kind: 'ConfigMap' };
  const data = async (name: string): Promise<Readonly<Record<string, string>>> =>
    configMapData(await ports.kube.get({ gvk, namespace: ports.namespace, name }, { signal }));
  const [cm, params] = await Promise.all([data('argocd-cm'), data('argocd-cmd-params-cm')]);
  return readSettings({ cm, params }).settings;
}
