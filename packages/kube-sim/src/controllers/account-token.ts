import { isRecord, stringAt, type KubeObject } from '@tiphys/api';
import type { ServiceAccountTokens } from '../server/authorization/service-account-tokens.ts';
import { keyText, splitKey, type Controller } from './controller.ts';
import type { Workbench } from './workbench.ts';

const resource = 'secrets';

const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

const encoded = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

const isTokenSecret = (secret: KubeObject): boolean => secret['type'] === 'kubernetes.io/service-account-token';

/** Fills Secrets of the type `kubernetes.io/service-account-token`, and drops those whose account is gone. */
export const accountTokens = (
  bench: Workbench,
  { tokens, caPem }: Readonly<{ tokens: ServiceAccountTokens; caPem: string }>,
): Controller => ({
  name: 'account-token',
  concerns: ({ resource: changed, object }) => {
    const { namespace = '', name = '' } = object.metadata;
    if (changed === resource) return isTokenSecret(object) ? [keyText(namespace, name)] : [];
    if (changed !== 'serviceaccounts') return [];
    return bench
      .list(resource, namespace)
      .filter((secret) => isTokenSecret(secret) && secret.metadata.annotations?.[nameAnnotation] === name)
      .map((secret) => keyText(namespace, secret.metadata.name ?? ''));
  },
  reconcile: (key) => {
    const secret = bench.get({ resource, ...splitKey(key) });
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return undefined;
    const { namespace = '', name = '', annotations } = secret.metadata;
    const place = { resource: 'serviceaccounts', namespace, name: annotations?.[nameAnnotation] ?? '' };
    const account = bench.get(place);
    const uid = account?.metadata.uid ?? '';
    if (account === undefined || (annotations?.[uidAnnotation] ?? uid) !== uid) {
      bench.remove(secret);
      return undefined;
    }
    if (annotations?.[uidAnnotation] === uid && stringAt(secret, 'data', 'token') !== undefined) return undefined;
    const { token } = tokens.issue(account, { bound: { kind: 'secret', name } });
    const data = isRecord(secret['data']) ? secret['data'] : {};
    bench.update({
      ...secret,
      metadata: { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: uid } },
      data: { ...data, 'ca.crt': encoded(caPem), namespace: encoded(namespace), token: encoded(token) },
    });
    return undefined;
  },
});
