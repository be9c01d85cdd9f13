import { isRecord, type KubeObject } from '@tiphys/api';

const encoded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : '', 'utf8').toString('base64');

/** `stringData` is only a way to write: its values go into `data`, encoded. */
export function mergeStringData(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret;
  if (!isRecord(stringData)) return secret;
  const data = isRecord(rest['data']) ? rest['data'] : {};
  const added = Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, encoded(value)]));
  const { apiVersion, kind, metadata } = secret;
  return { ...rest, apiVersion, kind, metadata, data: { ...data, ...added } };
}
