import assert from 'node:assert/strict';
import { silentLogger, systemClock } from '@tiphys/api';
import { connect } from '../client/connect.ts';
import { KubeError } from '../client/error.ts';
import type { ClientPorts, ClientSettings, ClusterConfig, KubeClient } from '../client/types.ts';
import { loopback } from './server-double.ts';

/** What a test says of its client; where it says nothing, no limit holds it back and it shows no credentials. */
export type Said = Readonly<{
  config?: Partial<ClusterConfig>;
  settings?: Partial<ClientSettings>;
  ports?: Partial<ClientPorts>;
}>;

/** A client of the server double at a URL. */
export const clientOf = ({ url }: { url: string }, { config, settings, ports }: Said = {}): KubeClient =>
  connect(
    { name: 'test', server: url, ca: loopback.cert, credentials: { kind: 'none' }, ...config },
    { qps: 10_000, burst: 10_000, ...settings },
    { log: silentLogger, clock: systemClock, ...ports },
  );

export const configMap = { group: '', version: 'v1', kind: 'ConfigMap' };

/** A ConfigMap of the default namespace. */
export const refTo = (name: string) => ({ gvk: configMap, namespace: 'default', name });

/** The error of a call that must fail. */
export async function fails(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => assert.fail('should have failed'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof KubeError, String(error));
  return error;
}

/** Both ways to expect calls: HTTP/2, and HTTP/1.1 for a call that is alone. */
export const callCounts = ['many', 'few'] as const;
