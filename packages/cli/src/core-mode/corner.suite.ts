import { at, systemClock } from '@tiphys/api';
import type { KubeClient } from '@tiphys/kube';
import { type Access, type ClusterUnderTest, openClusterUnderTest, type Outcome } from '../cluster-under-test.suite.ts';

const ref = { gvk: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' } };

export const refreshing = (application: unknown): boolean =>
  at(application, 'metadata', 'annotations', 'argocd.argoproj.io/refresh') !== undefined;
export const refreshed = { metadata: { annotations: { 'argocd.argoproj.io/refresh': null } } };

const patienceMs = 60_000;

/** Where the tests of core mode run: a cluster without a controller, opened before the first of them. */
export class Corner {
  #world: ClusterUnderTest | undefined;

  async open(access: () => Promise<Access>): Promise<void> {
    this.#world = await openClusterUnderTest(await access());
  }

  async close(): Promise<void> {
    await this.#world?.[Symbol.asyncDispose]();
  }

  get world(): ClusterUnderTest {
    if (this.#world === undefined) throw new Error('the cluster is not open yet');
    return this.#world;
  }

  /** The namespace of the Applications. */
  get control(): string {
    return this.world.control;
  }

  /** The namespace that they deploy into. */
  get target(): string {
    return this.world.target;
  }

  readonly cli: ClusterUnderTest['cli'] = (words, more) => this.world.cli(words, more);

  readonly patchRaw = (name: string, body: unknown): Promise<unknown> =>
    this.world.client.patch({ ...ref, namespace: this.control, name }, { type: 'merge', body });

  readonly stored = (name: string): ReturnType<KubeClient['get']> =>
    this.world.client.get({ ...ref, namespace: this.control, name });

  readonly create = (name: string, ...more: string[]): Promise<Outcome> =>
    this.cli([
      ...['app', 'create', name, '--repo', 'https://git.example.com/r.git', '--path', 'k8s'],
      ...['--dest-server', 'https://kubernetes.default.svc', '--dest-namespace', this.target, ...more],
    ]);

  /** Stands in for the controller where a command waits for it: answers once, as soon as the condition holds. */
  readonly answer = async (name: string, when: (application: unknown) => boolean, body: unknown): Promise<void> => {
    for (const end = Date.now() + patienceMs; !when(await this.stored(name));) {
      if (Date.now() > end) throw new Error(`${name}: nothing asks for an answer`);
      await systemClock.sleep(20);
    }
    await this.patchRaw(name, body);
  };
}
