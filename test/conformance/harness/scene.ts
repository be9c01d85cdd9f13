import { randomUUID } from 'node:crypto';
import { at, canonicalJson, isRecord, listAt, stringAt, type GroupVersionKind, type KubeObject } from '@tiphys/api';
import { describeView, saysOf, viewOf, type ApplicationView } from './application.ts';
import { Recorder } from './recorder.ts';
import type { Repository } from './repository.ts';
import { always, until, type Probed } from './until.ts';
import type { World } from './world.ts';

export const applicationKind: GroupVersionKind = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
export const finalizer = 'resources-finalizer.argocd.argoproj.io';

/** What a test wants of an Application; the rest is a plain application of the scene's repository and namespace. */
export type Wanted = Readonly<{
  name?: string;
  /** Merged into the source. */
  source?: object;
  sources?: readonly object[];
  destination?: object;
  automated?: object;
  syncOptions?: readonly string[];
  retry?: object;
  /** Merged into the spec as it is. */
  spec?: object;
  cascade?: boolean;
  annotations?: Readonly<Record<string, string>>;
}>;

const gvk = (kind: string): GroupVersionKind => {
  const group = groups[kind] ?? '';
  return { group, version: 'v1', kind };
};
const groups: Readonly<Record<string, string>> = {
  Deployment: 'apps',
  ReplicaSet: 'apps',
  StatefulSet: 'apps',
  DaemonSet: 'apps',
  Job: 'batch',
  CronJob: 'batch',
  Ingress: 'networking.k8s.io',
  CustomResourceDefinition: 'apiextensions.k8s.io',
};

/** One test's corner of the world. */
export class Scene {
  readonly world: World;
  /** Begins every name here; also the first application's. */
  readonly name: string;
  readonly repository: Repository;
  readonly #applications = new Set<string>();
  readonly #namespaces = new Set<string>();
  readonly #definitions = new Set<string>();
  readonly #recorders: Recorder[] = [];

  constructor(world: World, name: string, repository: Repository) {
    this.world = world;
    this.name = name;
    this.repository = repository;
  }

  get namespace(): string {
    return this.name;
  }

  // --- applications

  /** The Application object that `wanted` describes. Its path is `app` unless the source says otherwise. */
  application(wanted: Wanted = {}): KubeObject {
    const { automated, syncOptions, retry, annotations } = wanted;
    const source = { repoURL: this.repository.url, targetRevision: 'HEAD', path: 'app', ...wanted.source };
    const syncPolicy = {
      ...(automated === undefined ? {} : { automated }),
      ...(syncOptions === undefined ? {} : { syncOptions }),
      ...(retry === undefined ? {} : { retry }),
    };
    return {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: {
        name: wanted.name ?? this.name,
        namespace: this.world.namespace,
        ...(wanted.cascade === true ? { finalizers: [finalizer] } : {}),
        ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      },
      spec: {
        project: 'default',
        ...(wanted.sources === undefined
          ? { source }
          : {
              sources: wanted.sources.map((one) => ({ repoURL: this.repository.url, targetRevision: 'HEAD', ...one })),
            }),
        destination: { server: 'https://kubernetes.default.svc', namespace: this.namespace, ...wanted.destination },
        syncPolicy,
        ...wanted.spec,
      },
    };
  }

  /** Creates an Application that a person syncs. */
  async create(wanted: Wanted = {}): Promise<void> {
    const object = this.application(wanted);
    this.adopt(object.metadata.name ?? '');
    await this.world.cluster.client.create(object);
  }

  /** Creates an Application that syncs by itself. */
  createAutomated(wanted: Wanted = {}): Promise<void> {
    return this.create({ ...wanted, automated: { ...wanted.automated } });
  }

  /** Has an application that the test did not create itself taken away at the end. */
  adopt(name: string): void {
    this.#applications.add(name);
  }

  async find(name = this.name): Promise<ApplicationView | undefined> {
    this.world.controller.assertAlive();
    const object = await this.world.cluster.client.get({ gvk: applicationKind, namespace: this.world.namespace, name });
    if (object === undefined) return undefined;
    const view = viewOf(object);
    if (view.sync !== '') this.world.seen.sync.add(view.sync);
    if (view.health !== '') this.world.seen.health.add(view.health);
    return view;
  }

  async view(name = this.name): Promise<ApplicationView> {
    const view = await this.find(name);
    if (view === undefined) throw new Error(`there is no application ${name}`);
    return view;
  }

  /** Waits for an application to be as wanted; the failure shows it and what the log says of it. */
  async until(
    what: string,
    isSo: (view: ApplicationView) => boolean,
    options: UntilOptions = {},
  ): Promise<ApplicationView> {
    const name = options.name ?? this.name;
    try {
      const view = await until(`${name}: ${what}`, () => this.#probe(name, isSo), options.timeoutMs);
      await this.#catchUp();
      return view;
    } catch (error) {
      throw new Error(`${String(error)}\nlog:\n${this.world.controller.tail(`${name}"`)}`, { cause: error });
    }
  }

  /** Watches an application stay so. */
  stays(what: string, isSo: (view: ApplicationView) => boolean, options: UntilOptions = {}): Promise<void> {
    const name = options.name ?? this.name;
    return always(`${name}: ${what}`, options.timeoutMs ?? 2500, () => this.#probe(name, isSo));
  }

  async #probe(name: string, isSo: (view: ApplicationView) => boolean): Promise<Probed<ApplicationView>> {
    const view = await this.find(name);
    if (view === undefined) return { seen: 'no such application' };
    return isSo(view) ? { is: view } : { seen: describeView(view) };
  }

  /** Synced at a revision (any, when none is named) by an operation that succeeded, and Healthy. */
  untilSettled(revision = '', options: UntilOptions = {}): Promise<ApplicationView> {
    return this.until(
      `Synced${revision === '' ? '' : ` at ${revision.slice(0, 7)}`}, Healthy, Succeeded`,
      (view) =>
        view.sync === 'Synced' &&
        view.health === 'Healthy' &&
        view.phase === 'Succeeded' &&
        !view.requested &&
        view.revision.startsWith(revision),
      options,
    );
  }

  /** Waits until everything that the application says, together, matches. */
  untilSays(pattern: RegExp, options: UntilOptions = {}): Promise<ApplicationView> {
    return this.until(`says ${String(pattern)}`, (view) => pattern.test(saysOf(view)), options);
  }

  untilCondition(type: string, pattern: RegExp = /./, options: UntilOptions = {}): Promise<ApplicationView> {
    const isIt = (view: ApplicationView): boolean =>
      view.conditions.some((condition) => condition.type === type && pattern.test(condition.message));
    return this.until(`condition ${type} ${String(pattern)}`, isIt, options);
  }

  /** Asks for an operation, as the CLI does: by the `operation` field. Returns the mark that the operation carries. */
  async request(sync: object = {}, options: RequestOptions = {}): Promise<string> {
    const mark = randomUUID();
    const info = [{ name: markName, value: mark }];
    const operation = { initiatedBy: { username: 'conformance' }, sync, info, ...options.operation };
    await this.patchApplication({ operation }, options.name);
    return mark;
  }

  /** Asks for an operation and waits for the end of just that one. */
  async sync(sync: object = {}, options: RequestOptions & UntilOptions = {}): Promise<ApplicationView> {
    await this.until('compared once', (view) => view.sync !== '', options);
    const mark = await this.request(sync, options);
    const hasEnded = (view: ApplicationView): boolean =>
      !view.requested && /^(Succeeded|Failed|Error)$/.test(view.phase) && markOf(view) === mark;
    return this.until('the operation has ended', hasEnded, options);
  }

  async refresh(kind: 'normal' | 'hard' = 'normal', name = this.name): Promise<void> {
    await this.patchApplication({ metadata: { annotations: { 'argocd.argoproj.io/refresh': kind } } }, name);
    const isDone = (view: ApplicationView): boolean =>
      at(view.object, 'metadata', 'annotations', 'argocd.argoproj.io/refresh') === undefined;
    await this.until('the refresh is done', isDone, { name });
  }

  async patchApplication(body: object, name = this.name): Promise<void> {
    const ref = { gvk: applicationKind, namespace: this.world.namespace, name };
    await this.world.cluster.client.patch(ref, { type: 'merge', body });
  }

  async deleteApplication(name = this.name): Promise<void> {
    await this.world.cluster.client.delete({ gvk: applicationKind, namespace: this.world.namespace, name });
  }

  async untilGone(name = this.name): Promise<void> {
    await until(`application ${name} is gone`, async () => {
      const view = await this.find(name);
      return view === undefined ? { is: true as const } : { seen: describeView(view) };
    });
    await this.#catchUp();
  }

  // --- objects of the cluster

  /** A live object by `Kind/name` in the scene's namespace, or another. */
  get(
    id: string,
    options: Readonly<{ namespace?: string; gvk?: GroupVersionKind }> = {},
  ): Promise<KubeObject | undefined> {
    const [kind = '', name = ''] = id.split('/');
    const ref = { gvk: options.gvk ?? gvk(kind), namespace: options.namespace ?? this.namespace, name };
    return this.world.cluster.client.get(ref);
  }

  async live(id: string, options: Readonly<{ namespace?: string; gvk?: GroupVersionKind }> = {}): Promise<KubeObject> {
    const object = await this.get(id, options);
    if (object === undefined) throw new Error(`there is no ${id} in ${options.namespace ?? this.namespace}`);
    return object;
  }

  /** `data` of a ConfigMap; undefined when there is none. */
  async data(name: string, namespace = this.namespace): Promise<unknown> {
    return at(await this.get(`ConfigMap/${name}`, { namespace }), 'data');
  }

  async untilObject(
    id: string,
    what: string,
    isSo: (object: KubeObject | undefined) => boolean,
  ): Promise<KubeObject | undefined> {
    const found = await until(`${id} ${what}`, async () => {
      this.world.controller.assertAlive();
      const object = await this.get(id);
      return isSo(object) ? { is: object } : { seen: object === undefined ? 'no such object' : canonicalJson(object) };
    });
    await this.#catchUp();
    return found;
  }

  /**
   * Waits until a live object is gone. A sync that prunes ends when the last deletions are accepted; on a real cluster the
   * garbage collector takes the object away a moment later.
   */
  async untilAbsent(id: string): Promise<void> {
    await this.untilObject(id, 'is gone', (object) => object === undefined);
  }

  async patch(
    id: string,
    body: object,
    options: Readonly<{ subresource?: string; namespace?: string }> = {},
  ): Promise<void> {
    const [kind = '', name = ''] = id.split('/');
    const ref = { gvk: gvk(kind), namespace: options.namespace ?? this.namespace, name };
    const { subresource } = options;
    await this.world.cluster.client.patch(ref, { type: 'merge', body, subresource }, { fieldManager: 'somebody' });
  }

  async delete(id: string, namespace = this.namespace): Promise<void> {
    const [kind = '', name = ''] = id.split('/');
    const ref = { gvk: gvk(kind), namespace, name };
    await this.world.cluster.client.delete(ref, { propagationPolicy: 'Background' });
  }

  async createObject(object: KubeObject): Promise<void> {
    await this.world.cluster.client.create({
      ...object,
      metadata: { namespace: this.namespace, ...object.metadata },
    });
  }

  async createNamespace(name: string): Promise<void> {
    this.adoptNamespace(name);
    await this.world.cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  /** Has a namespace that the product creates taken away at the end. */
  adoptNamespace(name: string): string {
    this.#namespaces.add(name);
    return name;
  }

  /** Has a definition that the test or the product creates taken away at the end. */
  adoptDefinition(definition: KubeObject): KubeObject {
    this.#definitions.add(definition.metadata.name ?? '');
    return definition;
  }

  /** The events on an application so far: `Reason: message`. */
  async events(name = this.name): Promise<string[]> {
    const { client } = this.world.cluster;
    const resource = await client.resourceFor({ group: '', version: 'v1', kind: 'Event' });
    const scope = { namespace: this.world.namespace, fieldSelector: `involvedObject.name=${name}` };
    const { items } = await client.list(resource, scope);
    return items.map((event) => `${stringAt(event, 'reason') ?? ''}: ${stringAt(event, 'message') ?? ''}`);
  }

  /** Writes down what is created and deleted in the scene's namespace from now on, in the API server's order. */
  async record(...kinds: string[]): Promise<Recorder> {
    const recorder = await Recorder.start(this.world.cluster.client, this.namespace, kinds.map(gvk));
    this.#recorders.push(recorder);
    return recorder;
  }

  /** What has been waited for is in the records. */
  async #catchUp(): Promise<void> {
    for (const recorder of this.#recorders) await recorder.catchUp();
  }

  // --- the end

  async end(): Promise<void> {
    for (const recorder of this.#recorders) recorder.stop();
    const { client } = this.world.cluster;
    for (const name of this.#applications) {
      const ref = { gvk: applicationKind, namespace: this.world.namespace, name };
      // Finalizers first: the controller may be gone, and the namespace takes the objects away anyhow.
      await client.patch(ref, { type: 'merge', body: { metadata: { finalizers: null } } }).catch(() => undefined);
      await client.delete(ref).catch(() => undefined);
    }
    for (const name of this.#definitions) await this.delete(`CustomResourceDefinition/${name}`).catch(() => undefined);
    await this.#releaseHooks();
    for (const name of this.#namespaces) {
      const ref = { gvk: { group: '', version: 'v1', kind: 'Namespace' }, name };
      await client.delete(ref).catch(() => undefined);
    }
    await this.repository[Symbol.asyncDispose]();
  }

  /** Hooks that still ran when their application went keep a finalizer, and with it their namespace. */
  async #releaseHooks(): Promise<void> {
    const { client } = this.world.cluster;
    const { items } = await client.list(await client.resourceFor(gvk('Job')), { namespace: this.namespace });
    for (const { metadata } of items)
      await this.patch(`Job/${metadata.name ?? ''}`, { metadata: { finalizers: null } }).catch(() => undefined);
  }
}

export type UntilOptions = Readonly<{ name?: string; timeoutMs?: number }>;
export type RequestOptions = Readonly<{ name?: string; operation?: object }>;

const markName = 'conformance';
const markOf = ({ object }: ApplicationView): string | undefined =>
  listAt(object, 'status', 'operationState', 'operation', 'info')
    .filter((one) => stringAt(one, 'name') === markName)
    .map((one) => stringAt(one, 'value'))[0];

/** The annotation or label of an object. */
export const annotationOf = (object: KubeObject | undefined, key: string): string | undefined =>
  stringAt(object, 'metadata', 'annotations', key);

/** Field managers of an object: `manager:Operation`. */
export const managersOf = (object: KubeObject): string[] =>
  (object.metadata.managedFields ?? [])
    .filter(isRecord)
    .map((entry) => `${String(entry['manager'])}:${String(entry['operation'])}`);
