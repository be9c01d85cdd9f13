import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startKubeSim, type KubeSim } from '@tiphys/kube-sim';
import { ControlPlaneError, startControlPlane, type ControlPlane } from '../control-plane/start.ts';
import { differencesOf, type Comparison } from './differential/kubectl/compare.ts';
import { scenes } from './differential/kubectl/scenes.ts';
import { Session, type Scene } from './differential/kubectl/session.ts';
import { kubectlPath, run } from './harness/tools.ts';

/** Where the other differential test is asked for 500 sequences or more, all lines are played; else a part, by its seed. */
const isLong = Number(process.env['TIPHYS_DIFFERENTIAL'] ?? '60') >= 500;
const choice = { oneIn: isLong ? 1 : 8, offset: Number(process.env['TIPHYS_DIFFERENTIAL_SEED'] ?? '20') };
const only = process.env['TIPHYS_DIFFERENTIAL_SCENE'];

/** So many scenes at a time: some of a script's time is waiting. */
const concurrency = 3;

type Cluster = Readonly<{ name: string; kubeconfigPath: string }>;

/** The same scripts of the real kubectl on the real control plane and on the embedded cluster; what they print is compared. */
describe('kubectl prints the same on the embedded cluster and on the real one', { concurrency }, () => {
  let plane: ControlPlane | undefined;
  let sim: KubeSim | undefined;
  let folder = '';
  let absent: string | undefined;

  before(async () => {
    try {
      plane = await startControlPlane();
    } catch (error) {
      if (!(error instanceof ControlPlaneError) || error.code !== 'no-go') throw error;
      absent = 'Go is absent: there is no real control plane to compare with';
      return;
    }
    folder = await mkdtemp(join(tmpdir(), 'tiphys-kubectl-differential-'));
    sim = await startKubeSim();
    await writeFile(join(folder, 'embedded.kubeconfig'), sim.kubeconfig(), { mode: 0o600 });
  });
  after(async () => {
    await sim?.stop();
    await plane?.stop();
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });

  const playOn = async (cluster: Cluster, scene: Scene): Promise<Comparison['real']> => {
    const namespace = `kubectl-${scene.name}`;
    const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: cluster.kubeconfigPath };
    await run(kubectlPath(), ['create', 'namespace', namespace], { env });
    const place = { kubeconfig: cluster.kubeconfigPath, folder: join(folder, cluster.name, scene.name), namespace };
    return new Session(place).play(scene, choice);
  };

  const compare = async (scene: Scene, real: ControlPlane): Promise<Comparison> => {
    const [onReal, onEmbedded] = await Promise.all([
      playOn({ name: 'real', kubeconfigPath: real.kubeconfigPath }, scene),
      playOn({ name: 'embedded', kubeconfigPath: join(folder, 'embedded.kubeconfig') }, scene),
    ]);
    return { real: onReal, embedded: onEmbedded, namespace: `kubectl-${scene.name}` };
  };

  for (const scene of scenes.filter(({ name }) => only === undefined || only === name))
    test(scene.name, { timeout: 300_000 }, async (context) => {
      if (plane === undefined) {
        context.skip(absent);
        return;
      }
      const comparison = await compare(scene, plane);
      const differences = differencesOf(comparison);
      context.diagnostic(`${comparison.real.length} commands, ${differences.length} differ`);
      assert.equal(differences.length, 0, differences.join('\n\n'));
    });
});
