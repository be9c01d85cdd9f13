import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '@tiphys/api';
import { runApplicationController } from '@tiphys/controllers';
import { gitDefaults, openGitStore, openRenderer } from '@tiphys/engine';
import { connect } from '@tiphys/kube';
import { PushedClock } from './pushed-clock.ts';
import { kubectlPath, root } from './tools.ts';
import type { World } from './world.ts';

/**
 * For one test the controller runs in this process, on a clock that the test pushes on, with no settings but those that are stored
 * in the cluster. The one of all other tests stands still meanwhile.
 */
export async function onPushedClock(world: World, t: TestContext): Promise<PushedClock> {
  const clock = new PushedClock();
  const log = silentLogger;
  const { client } = world.cluster;
  await using undo = new AsyncDisposableStack();
  await world.controller.stop();
  undo.defer(() => world.controller.start());
  const directory = await mkdtemp(join(tmpdir(), 'tiphys-conformance-clock-'));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const git = openGitStore(
    { clock, log },
    { ...gitDefaults, dataDir: join(directory, 'git'), path: process.env['PATH'] ?? '' },
  );
  undo.defer(() => git.close());
  const tools = {
    helm: join(root, '.cache/tools/helm'),
    kustomize: { command: kubectlPath(), args: ['kustomize'] },
    versions: 'of the test',
  };
  const renderer = await openRenderer({ git, tools, clock, log }, { workDir: join(directory, 'render') });
  undo.defer(() => renderer.close());
  const settings = { qps: 1000, burst: 2000, userAgent: 'tiphys-conformance-clock' };
  undo.use(
    await runApplicationController(
      { client, git, renderer, connect: (config) => connect(config, settings, { clock, log }), clock, log },
      { namespace: world.namespace, takeOver: false },
    ),
  );
  // Whatever waits for the clock when all is taken down is let go.
  undo.defer(() => clock.run());
  const running = undo.move();
  t.after(() => running.disposeAsync());
  return clock;
}
