import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { at, isRecord, listAt, parseJson, stringAt, type Clock, type KubeObject } from '@tiphys/api';
import type { ObjectStore } from '../../store/object-store.ts';
import type { User } from '../http/exchange.ts';

export const issuer = 'https://kubernetes.default.svc.cluster.local';

/** What a token ends with, besides its account. */
export type TokenBound = Readonly<{ kind: 'pod' | 'secret' | 'node'; name: string; uid?: string }>;

/** What a token is asked to be. Without `expiresInSeconds` it never ends (those in Secrets). */
export type TokenWish = Readonly<{
  expiresInSeconds?: number;
  audiences?: readonly string[];
  bound?: TokenBound;
}>;

const resourceOf = { pod: 'pods', secret: 'secrets', node: 'nodes' } as const;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const decode = (part: string): unknown => {
  try {
    return parseJson(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
};

/** A new signing key, as PEM. */
export const newTokenKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** What is known of a token's bearer besides its groups. */
function extraOf(claims: Record<string, unknown>): Record<string, readonly string[]> {
  const prefix = 'authentication.kubernetes.io/';
  const parts = ['node', 'pod'].flatMap((kind) =>
    ['name', 'uid'].flatMap((field) => {
      const value = stringAt(claims['kubernetes.io'], kind, field);
      return value === undefined ? [] : [[`${prefix}${kind}-${field}`, [value]] as const];
    }),
  );
  return { [`${prefix}credential-id`]: [`JTI=${stringAt(claims, 'jti') ?? ''}`], ...Object.fromEntries(parts) };
}

type Ports = Readonly<{ store: ObjectStore; clock: Clock; keyPem: string }>;

/** Issues and reads the signed tokens (JWT, ES256) of service accounts. */
export class ServiceAccountTokens {
  readonly #ports: Ports;
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#key = createPrivateKey(ports.keyPem);
    this.#publicKey = createPublicKey(this.#key);
    const form = this.#publicKey.export({ type: 'spki', format: 'der' });
    this.#keyId = createHash('sha256').update(form).digest('base64url');
  }

  /** What verifies the tokens: a JSON Web Key Set. */
  keySet(): Record<string, unknown> {
    const key = this.#publicKey.export({ format: 'jwk' });
    return { keys: [{ use: 'sig', kid: this.#keyId, alg: 'ES256', ...key }] };
  }

  /** A token for an account, and when it ends. */
  issue(account: KubeObject, wish: TokenWish = {}): Readonly<{ token: string; expires: Date | undefined }> {
    const { namespace = '', name = '', uid = '' } = account.metadata;
    const now = Math.floor(this.#ports.clock.now().getTime() / 1000);
    const end = wish.expiresInSeconds === undefined ? undefined : now + wish.expiresInSeconds;
    const claims = {
      aud: wish.audiences ?? [issuer],
      ...(end !== undefined && { exp: end }),
      iat: now,
      iss: issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace,
        ...this.#boundClaims(namespace, wish.bound),
        serviceaccount: { name, uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    const text = `${encode({ alg: 'ES256', kid: this.#keyId })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    const expires = end === undefined ? undefined : new Date(end * 1000);
    return { token: `${text}.${signature.toString('base64url')}`, expires };
  }

  /** A token of a pod also says on which node the pod is. */
  #boundClaims(namespace: string, bound: TokenBound | undefined): Record<string, unknown> {
    if (bound === undefined) return {};
    const { kind, ...rest } = bound;
    if (kind !== 'pod') return { [kind]: rest };
    const { store } = this.#ports;
    const pod = store.get({ resource: 'pods', namespace, name: bound.name });
    const nodeName = stringAt(pod, 'spec', 'nodeName') ?? '';
    const node = store.get({ resource: 'nodes', namespace: '', name: nodeName });
    const uid = node?.metadata.uid;
    return { ...(nodeName !== '' && { node: { name: nodeName, ...(uid !== undefined && { uid }) } }), pod: rest };
  }

  /** Whom a token stands for; undefined when it is none of ours, has ended, or what it is bound to is gone. */
  read(token: string): User | undefined {
    const [header, body, signature, ...more] = token.split('.');
    if (header === undefined || body === undefined || signature === undefined || more.length > 0) return undefined;
    const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' as const };
    const isOurs = verify('sha256', Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url'));
    const claims = isOurs ? decode(body) : undefined;
    if (!isRecord(claims) || !this.#isCurrent(claims)) return undefined;
    const own = claims['kubernetes.io'];
    const namespace = stringAt(own, 'namespace') ?? '';
    const name = stringAt(own, 'serviceaccount', 'name') ?? '';
    const uid = stringAt(own, 'serviceaccount', 'uid') ?? '';
    return {
      name: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: extraOf(claims),
    };
  }

  #isCurrent(claims: Record<string, unknown>): boolean {
    const { store, clock } = this.#ports;
    const end = claims['exp'];
    if (typeof end === 'number' && end * 1000 <= clock.now().getTime()) return false;
    if (!listAt(claims, 'aud').includes(issuer)) return false;
    const own = claims['kubernetes.io'];
    const namespace = stringAt(own, 'namespace') ?? '';
    for (const kind of ['pod', 'secret'] as const) {
      const bound = stringAt(own, kind, 'name');
      if (bound === undefined) continue;
      const found = store.get({ resource: resourceOf[kind], namespace, name: bound });
      if (found === undefined || found.metadata.uid !== (stringAt(own, kind, 'uid') ?? found.metadata.uid))
        return false;
    }
    const name = stringAt(own, 'serviceaccount', 'name') ?? '';
    const account = store.get({ resource: 'serviceaccounts', namespace, name });
    return account !== undefined && account.metadata.uid === at(own, 'serviceaccount', 'uid');
  }
}
