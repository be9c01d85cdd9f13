import type { ResourceType } from '../../schema/types.ts';
import type { Cluster, RefusalRule } from '../cluster.ts';
import type { Exchange } from './exchange.ts';
import type { ServiceAccountTokens } from '../authorization/service-account-tokens.ts';
import type { ResourcePath } from './request-info.ts';

export type WatchSettings = Readonly<{ bookmarkIntervalMs: number }>;

/** What requests for resources are served with. */
export type ResourcePorts = Readonly<{
  cluster: Cluster;
  tokens: ReadonlyMap<string, Exchange['user']>;
  /** The signed tokens of service accounts. */
  accounts: ServiceAccountTokens;
  refusals: ReadonlySet<RefusalRule>;
  /** Ends each open watch; the server calls them when it stops. */
  watches: Set<() => void>;
  settings: WatchSettings;
}>;

/** A request for a known resource. */
export type ResourceRequest = Readonly<{ exchange: Exchange; type: ResourceType; path: ResourcePath }>;
