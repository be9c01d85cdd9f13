import { randomBytes } from 'node:crypto';
import { silentLogger, stringifyYaml, systemClock, type Clock, type KubeObject, type Logger } from '@tiphys/api';
import { startControllers, type SimulationSettings } from './controllers/start.ts';
import { StatusError } from './schema/status-error.ts';
import { newTokenKey, ServiceAccountTokens } from './server/authorization/service-account-tokens.ts';
import { seed } from './server/bootstrap.ts';
import { ownWrite, type Access, type Cluster, type RefusalRule } from './server/cluster.ts';
import { issueServerCredential, type ServerCredential } from './server/http/certificate.ts';
import type { User } from './server/http/exchange.ts';
import { handle } from './server/http/handler.ts';
import { listen } from './server/http/listen.ts';
import type { ResourcePorts } from './server/http/resource-request.ts';
import { createObject } from './server/operations/create.ts';
import { pathNotFound } from './server/refusal.ts';
import { storageKey, TypeRegistry } from './server/type-registry.ts';
import { memoryJournal, sqliteJournal, type Journal } from './store/journal.ts';
import { defaultStoreSettings, ObjectStore } from './store/object-store.ts';
import type { Place } from './store/place.ts';

export { StatusError } from './schema/status-error.ts';
export type { Access, RefusalRule } from './server/cluster.ts';
export type { SimulationSettings } from './controllers/start.ts';

/** How an embedded cluster is to be. Everything has a default. */
export type KubeSimOptions = Readonly<{
  /** 0 (the default) takes a free port. Always on 127.0.0.1. */
  port?: number;
  /** TLS with a certificate authority of its own (the default), or plain HTTP. */
  tls?: boolean;
  /** SQLite file that keeps the cluster, its token and its certificate across restarts; without it everything is in memory. */
  stateFile?: string;
  clock?: Clock;
  log?: Logger;
  /** Created at start, in order, as an administrator would; namespaces that are missing are created too. */
  objects?: readonly KubeObject[];
  /** Rules that refuse requests from the start; see KubeSim.refuse. */
  refuse?: readonly RefusalRule[];
  /** More bearer tokens, and whom they stand for; what they may do follows from the roles that are bound to them. */
  tokens?: Readonly<Record<string, User>>;
  /** How quickly pods start and end, and the like. */
  simulation?: Partial<SimulationSettings>;
  /** `off`: nothing but the API server; no pod ever starts, nothing is collected. */
  controllers?: 'on' | 'off';
  /** How many changes watches can go back. */
  historyLength?: number;
  bookmarkIntervalMs?: number;
}>;

/** A running embedded cluster. */
export type KubeSim = AsyncDisposable &
  Readonly<{
    /** `https://127.0.0.1:PORT` */
    url: string;
    port: number;
    /** Bearer token of an administrator. */
    token: string;
    /** The certificate authority to trust; empty without TLS. */
    caPem: string;
    /** A kubeconfig (YAML) for the administrator. */
    kubeconfig: () => string;
    clock: Clock;
    /** Refuses every API request for which the rule returns an error, until the returned function is called. Controllers are not affected. */
    refuse: (rule: RefusalRule) => () => void;
    /** Ends all watches and forgets the history: every resourceVersion that clients hold answers 410 from now on. */
    expireWatches: () => void;
    /** Ends all watches; clients can resume where they were. */
    dropWatches: () => void;
    /** The stored object, without going through HTTP; undefined when there is none. The resource as `plural.group`. */
    stored: (place: Place) => KubeObject | undefined;
    /** How many objects the store has of a resource (`plural.group`). */
    count: (resource: string) => number;
    stop: () => Promise<void>;
  }>;

const hosts = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '127.0.0.1', '10.96.0.1'];

const administrator: User = { name: 'tiphys-admin', groups: ['system:masters'] };

type Identity = Readonly<{ token: string; credential: ServerCredential | undefined }>;

/** The token and certificate of this cluster: those of its last run when the journal has kept them. */
function identity(journal: Journal, tls: boolean, now: Date): Identity {
  const token = journal.keep('token', () => randomBytes(24).toString('base64url'));
  if (!tls) return { token, credential: undefined };
  const fresh = issueServerCredential(hosts, now);
  const keep = (part: keyof ServerCredential): string => journal.keep(`tls.${part}`, () => fresh[part]);
  return {
    token,
    credential: { caPem: keep('caPem'), certificatePem: keep('certificatePem'), keyPem: keep('keyPem') },
  };
}

function kubeconfigText({ url, token, caPem }: Pick<KubeSim, 'url' | 'token' | 'caPem'>): string {
  const name = 'tiphys-embedded';
  const trust = caPem === '' ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
  return stringifyYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, ...trust } }],
    users: [{ name: `${name}-admin`, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: `${name}-admin`, namespace: 'default' } }],
    'current-context': name,
  });
}

function createAll(cluster: Cluster, objects: readonly KubeObject[]): void {
  const ensureNamespace = (namespace: string): void => {
    const type = cluster.types.at('', 'v1', 'namespaces');
    if (type === undefined || namespace === '') return;
    if (cluster.store.get({ resource: 'namespaces', namespace: '', name: namespace }) !== undefined) return;
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    createObject(cluster, { type, namespace: '', name: namespace }, { object, options: ownWrite('tiphys-embedded') });
  };
  for (const object of objects) {
    const type = cluster.types.ofKind(object);
    if (type === undefined) throw pathNotFound();
    const namespace = type.namespaced ? (object.metadata.namespace ?? 'default') : '';
    ensureNamespace(namespace);
    const target = { type, namespace, name: object.metadata.name ?? '' };
    if (cluster.store.get({ resource: storageKey(type), namespace, name: target.name }) !== undefined) continue;
    createObject(cluster, target, { object, options: ownWrite('kubectl') });
  }
}

const definitions = 'customresourcedefinitions.apiextensions.k8s.io';

/** Serves what custom resource definitions declare, from the moment that they are stored. */
function followDefinitions({ store, types }: Cluster): void {
  for (const definition of store.list(definitions)) types.define(definition);
  store.subscribe(({ resource, type, object }) => {
    if (resource !== definitions) return;
    if (type === 'DELETED') types.forget(object.metadata.name ?? '');
    else types.define(object);
  });
}

/**
 * Starts an embedded cluster.
 * @throws Error when the port is taken or the state file cannot be read
 */
export async function startKubeSim(options: KubeSimOptions = {}): Promise<KubeSim> {
  const { clock = systemClock, log = silentLogger, tls = true } = options;
  const journal = options.stateFile === undefined ? memoryJournal() : sqliteJournal(options.stateFile);
  // Other programs check the certificate, and they have the clock on the wall.
  const { token, credential } = identity(journal, tls, systemClock.now());
  const historyLength = options.historyLength ?? defaultStoreSettings.historyLength;
  const store = new ObjectStore(journal, { historyLength });
  const cluster: Cluster = { store, types: new TypeRegistry(), clock, log, random: Math.random };
  followDefinitions(cluster);
  const refusals = new Set(options.refuse);
  const accounts = new ServiceAccountTokens({ store, clock, keyPem: journal.keep('account.key', newTokenKey) });
  const ports: ResourcePorts = {
    cluster,
    tokens: new Map([[token, administrator], ...Object.entries(options.tokens ?? {})]),
    accounts,
    refusals,
    watches: new Set(),
    settings: { bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000 },
  };
  const caPem = credential?.caPem ?? '';
  seed(cluster, caPem);
  const controllers =
    options.controllers === 'off'
      ? undefined
      : startControllers(cluster, { ...options.simulation, caPem, tokens: accounts });
  createAll(cluster, options.objects ?? []);
  const listener = await listen((request, response) => void handle(ports, request, response), {
    port: options.port ?? 0,
    credential,
  });
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${listener.port}`;
  const dropWatches = (): void => {
    for (const end of [...ports.watches]) end();
  };
  const stop = async (): Promise<void> => {
    dropWatches();
    await listener.close();
    controllers?.stop();
    store.close();
  };
  return {
    url,
    port: listener.port,
    token,
    caPem,
    kubeconfig: () => kubeconfigText({ url, token, caPem }),
    clock,
    refuse: (rule) => {
      refusals.add(rule);
      return () => refusals.delete(rule);
    },
    expireWatches: () => {
      store.forgetHistory();
      dropWatches();
    },
    dropWatches,
    stored: (place) => store.get(place),
    count: (resource) => store.count(resource),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A rule that answers every matching request with the given error: `refuseWhen({ verb: 'delete', resource: 'configmaps' }, 403)`. */
export const refuseWhen =
  (match: Partial<Access>, code: number, reason = 'Forbidden'): RefusalRule =>
  (access) => {
    const entries = Object.entries({ ...access });
    const wanted = new Map<string, unknown>(Object.entries(match));
    const matches = entries.every(([key, value]) => !wanted.has(key) || wanted.get(key) === value);
    const what = access.group === '' ? access.resource : `${access.resource}.${access.group}`;
    const message = `${what} ${JSON.stringify(access.name)} is refused by a test rule`;
    return matches ? new StatusError({ code, reason, message }) : undefined;
  };
