import { describe } from 'node:test';
import { aloneTests } from './engine-alone.suite.ts';
import { applicationTests } from './engine-applications.suite.ts';
import { registryTests } from './engine-charts.suite.ts';
import { clockTests } from './engine-clock.suite.ts';
import { childTests } from './engine-children.suite.ts';
import { commandLineAloneTests, commandLineTests } from './engine-command-line.suite.ts';
import { compareTests } from './engine-compare.suite.ts';
import { deletionAloneTests, deletionTests } from './engine-deletion.suite.ts';
import { differenceSettingsTests, differenceTests } from './engine-differences.suite.ts';
import { healthTests } from './engine-health.suite.ts';
import { hookTests } from './engine-hooks.suite.ts';
import { operationTests } from './engine-operations.suite.ts';
import { optionTests } from './engine-options.suite.ts';
import { pruneTests } from './engine-prune.suite.ts';
import { renderTests } from './engine-render.suite.ts';
import { renderOptionTests, renderSettingTests } from './engine-render-options.suite.ts';
import { runningTests } from './engine-running.suite.ts';
import { settingTests } from './engine-settings.suite.ts';
import { thinPathTests } from './engine-thin-path.suite.ts';
import { vocabularyTests } from './engine-vocabulary.suite.ts';
import { waveTests } from './engine-waves.suite.ts';
import type { World } from './harness/world.ts';

/** Most of a test is waiting for a cluster, so several run at once. */
const atOnce = 6;

/** The engine from Git to status, seen from outside: Git on one side, the Kubernetes API on the other. */
export function engineSuite(world: World): void {
  describe('engine', { concurrency: atOnce }, () => {
    const areas = [thinPathTests, compareTests, differenceTests, renderTests, waveTests, hookTests, pruneTests];
    for (const register of [
      ...areas,
      optionTests,
      operationTests,
      healthTests,
      applicationTests,
      childTests,
      deletionTests,
      runningTests,
      renderOptionTests,
      commandLineTests,
    ])
      register(world);
  });
  // These count what the controller does or stop it, or look at what all the others have seen.
  describe('engine, one at a time', () => {
    aloneTests(world);
    differenceSettingsTests(world);
    deletionAloneTests(world);
    settingTests(world);
    registryTests(world);
    renderSettingTests(world);
    clockTests(world);
    commandLineAloneTests(world);
    vocabularyTests(world);
  });
}
