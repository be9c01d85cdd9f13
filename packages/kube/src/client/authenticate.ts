import { readFile } from 'node:fs/promises';
import { CodedError, messageOf, type Clock } from '@tiphys/api';
import type { ExecCredentials } from './credentials.ts';
import type { TlsIdentity } from './dial.ts';
import { askExecPlugin, type ExecAnswer } from './exec-plugin.ts';
import type { ClientSettings, ClusterConfig } from './types.ts';

export type CallHeaders = Readonly<Record<string, string | string[]>>;

/** Who we say we are, on each call and each new connection. */
export type Authenticator = Readonly<{
  headers: (signal: AbortSignal) => Promise<CallHeaders>;
  /** The client certificate for a new connection. */
  identity: (signal: AbortSignal) => Promise<TlsIdentity | undefined>;
  /** After a 401: forgets what may be renewed. False when there is nothing that could be different next time. */
  renew: () => boolean;
  /** Whether the client certificate comes from a plugin, so that a renewal needs new connections. */
  readonly renewsIdentity: boolean;
}>;

/** Service-account tokens are rotated in place well before they expire; a minute is what client libraries use. */
const tokenFileMs = 60_000;

/** A credential is renewed a little before it expires. */
const expiryMarginMs = 10_000;

type ExecConfig = ClusterConfig & { credentials: { kind: 'exec'; exec: ExecCredentials } };
const hasExec = (config: ClusterConfig): config is ExecConfig => config.credentials.kind === 'exec';

/** Remembers one value while it is good; many who ask at once cause one reading. */
function remember<T>(read: (signal: AbortSignal) => Promise<T>, isGood: (value: T) => boolean) {
  let known: { value: T } | undefined;
  let reading: Promise<T> | undefined;
  return {
    forget: () => {
      known = undefined;
    },
    get: async (signal: AbortSignal): Promise<T> => {
      if (known !== undefined && isGood(known.value)) return known.value;
      reading ??= read(signal)
        .then((value) => {
          known = { value };
          return value;
        })
        .finally(() => {
          reading = undefined;
        });
      return reading;
    },
  };
}

function impersonation({ impersonate }: ClusterConfig): CallHeaders {
  if (impersonate === undefined) return {};
  const { groups = [] } = impersonate;
  return {
    'impersonate-user': impersonate.user,
    ...(groups.length === 0 ? {} : { 'impersonate-group': [...groups] }),
    ...(impersonate.uid === undefined ? {} : { 'impersonate-uid': impersonate.uid }),
  };
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new CodedError('kube/unauthorized', `token file ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Builds the authenticator of a cluster. Nothing is read or run before the first call. */
export function openAuthenticator(config: ClusterConfig, settings: ClientSettings, clock: Clock): Authenticator {
  const { credentials } = config;
  const fixed = impersonation(config);
  const ownIdentity = (): Promise<TlsIdentity | undefined> => Promise.resolve(config.clientCertificate);
  const constant = (headers: CallHeaders): Authenticator => ({
    headers: () => Promise.resolve({ ...fixed, ...headers }),
    identity: ownIdentity,
    renew: () => false,
    renewsIdentity: false,
  });
  const bearer = (token: string): CallHeaders => ({ ...fixed, authorization: `Bearer ${token}` });

  switch (credentials.kind) {
    case 'none':
      return constant({});
    case 'token':
      return constant({ authorization: `Bearer ${credentials.token}` });
    case 'basic': {
      const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
      return constant({ authorization: `Basic ${pair}` });
    }
    case 'token-file': {
      const token = remember(
        async () => ({ text: await readToken(credentials.path), at: clock.now().getTime() }),
        ({ at }) => Math.abs(clock.now().getTime() - at) < tokenFileMs,
      );
      return {
        headers: async (signal) => bearer((await token.get(signal)).text),
        identity: ownIdentity,
        renew: () => {
          token.forget();
          return true;
        },
        renewsIdentity: false,
      };
    }
    case 'exec': {
      if (!hasExec(config)) return constant({});
      const answer = remember<ExecAnswer>(
        // The answer serves all who wait, so one caller's end must not stop the plugin; it has a deadline of its own.
        () => askExecPlugin(config, settings, new AbortController().signal),
        ({ expiresAt }) => expiresAt === undefined || clock.now().getTime() < expiresAt - expiryMarginMs,
      );
      return {
        headers: async (signal) => {
          const { token } = await answer.get(signal);
          return token === undefined ? fixed : bearer(token);
        },
        identity: async (signal) => (await answer.get(signal)).identity ?? config.clientCertificate,
        renew: () => {
          answer.forget();
          return true;
        },
        renewsIdentity: true,
      };
    }
  }
}
