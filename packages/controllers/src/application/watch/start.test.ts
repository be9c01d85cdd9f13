import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customResourceDefinition, ownKinds, silentLogger, systemClock } from '@tiphys/api';
import { connect, loadKubeconfig } from '@tiphys/kube';
import { startKubeSim } from '@tiphys/kube-sim';
import { watchRivals } from '../ownership/rivals.ts';
import { openDestinations } from './destinations.ts';
import { watchProjects } from './project-names.ts';
import { openRepositories } from './repositories.ts';
import { watchRegistrations } from './settings-watch.ts';

test('a start that may not read what it needs ends at its deadline, and watches nothing any more', async () => {
  await using sim = await startKubeSim({ objects: ownKinds.map(customResourceDefinition) });
  const config = loadKubeconfig(sim.kubeconfig(), { baseDir: '/' });
  const ports = { log: silentLogger, clock: systemClock };
  await using client = connect({ ...config, impersonate: { user: 'nobody' } }, {}, ports);
  const all = { ...ports, client };
  await using destinations = openDestinations({
    local: client,
    connect: () => assert.fail('no cluster is registered'),
    open: () => assert.fail('no cluster is asked for'),
  });
  const starts = {
    rivals: (signal: AbortSignal) => watchRivals(all, signal),
    projects: (signal: AbortSignal) => watchProjects(all, 'argocd', signal),
    registrations: (signal: AbortSignal) =>
      watchRegistrations({ ...all, destinations, repositories: openRepositories() }, 'argocd', signal),
  };
  for (const [what, start] of Object.entries(starts))
    await assert.rejects(start(AbortSignal.timeout(500)), { name: 'TimeoutError' }, what);
});
