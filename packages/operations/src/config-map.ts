import { isRecord, type KubeObject } from '@tiphys/api';

/** The texts of a ConfigMap's `data`; none of one that is not there. */
export function configMapData(configMap: KubeObject | undefined): Readonly<Record<string, string>> {
  const data = configMap?.['data'];
  if (!isRecord(data)) return {};
  return Object.fromEntries(
    Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
