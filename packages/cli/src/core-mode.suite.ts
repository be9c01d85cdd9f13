import { after, before, describe } from 'node:test';
import type { Access } from './cluster-under-test.suite.ts';
import { applicationTests } from './core-mode/applications.suite.ts';
import { commandLineTests } from './core-mode/command-line.suite.ts';
import { Corner } from './core-mode/corner.suite.ts';
import { operationTests } from './core-mode/operations.suite.ts';
import { repositoryTests } from './core-mode/repositories.suite.ts';

/** Every command in core mode, on a cluster without a controller: where a command waits for one, the test answers in its stead. */
export function coreModeSuite(access: () => Promise<Access>): void {
  // Hooks of a suite, not of the file: those would wait without end where no test of it is chosen to run.
  describe('core mode', () => {
    const corner = new Corner();
    before(() => corner.open(access));
    after(() => corner.close());
    commandLineTests(corner);
    applicationTests(corner);
    operationTests(corner);
    repositoryTests(corner);
  });
}
