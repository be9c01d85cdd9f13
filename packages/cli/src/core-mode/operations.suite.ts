import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '@tiphys/api';
import { type Corner, refreshed, refreshing } from './corner.suite.ts';

/** Commands that ask the controller for something, and wait for it; the test answers in its stead. */
export function operationTests(corner: Corner): void {
  const { answer, cli, create, stored, patchRaw } = corner;

  const finished = (phase: string, message: string): object => ({
    operation: null,
    status: {
      sync: { status: 'Synced', revision: 'abc' },
      health: { status: 'Healthy' },
      operationState: {
        phase,
        message,
        startedAt: '2026-01-01T00:00:00Z',
        finishedAt: '2026-01-01T00:00:02Z',
        operation: { sync: {} },
        syncResult: {
          revision: 'abc',
          resources: [
            {
              group: 'apps',
              version: 'v1',
              kind: 'Deployment',
              namespace: corner.target,
              name: 'web',
              status: phase === 'Succeeded' ? 'Synced' : 'SyncFailed',
              message: 'said the server',
            },
          ],
        },
      },
    },
  });

  const asked = (application: unknown): boolean => at(application, 'operation') !== undefined;
  describe('operations', () => {
    test('CLI-15 SYNC-39 sync waits for the end and prints what became of each object', async () => {
      await create('synced');
      const [{ exit, out }] = await Promise.all([
        cli(['app', 'sync', 'synced', '--prune']),
        answer('synced', asked, finished('Succeeded', 'all done')),
      ]);
      assert.equal(exit, 0);
      assert.match(out, /^TIMESTAMP +GROUP +KIND/m);
      assert.match(out, /\nPhase: {14}Succeeded\n/);
      assert.match(out, /\nDuration: {11}2s\n/);
      assert.match(out, new RegExp(`^apps +Deployment +${corner.target} +web +Synced +said the server$`, 'm'));
    });
    test('how far it is stands in one line on a terminal, and nowhere else', async () => {
      const follow = async (name: string, stderr: boolean): Promise<string> => {
        await create(name);
        const terminal = { stdin: false, stdout: false, stderr };
        const [{ err }] = await Promise.all([
          cli(['app', 'sync', name], { terminal }),
          answer(name, asked, finished('Succeeded', 'all done')),
        ]);
        return err;
      };
      const live = await follow('followed', true);
      assert.match(live, /\r\u001b\[2Kfollowed: [^\n]*operation (?:Requested|Succeeded)/);
      assert.ok(live.endsWith('\r\u001b[2K'), 'the line is gone at the end');
      assert.equal(await follow('piped', false), '');
    });
    test('CLI-15 a sync that fails gives 20 and the reason', async () => {
      await create('failing');
      const [{ exit, err }] = await Promise.all([
        cli(['app', 'sync', 'failing']),
        answer('failing', asked, finished('Failed', 'one object failed')),
      ]);
      assert.deepEqual([exit, err], [20, 'error: the operation of failing ended as Failed: one object failed\n']);
    });
    test('SYNC-43 --resource limits the operation to objects of the application', async () => {
      await create('selective');
      await patchRaw('selective', {
        status: {
          resources: [
            { group: 'apps', kind: 'Deployment', namespace: corner.target, name: 'web' },
            { kind: 'Service', namespace: corner.target, name: 'web' },
          ],
        },
      });
      assert.equal(
        (
          await cli([
            'app',
            'sync',
            'selective',
            '--async',
            '--resource',
            'apps:Deployment:web',
            '--dry-run',
            '--force',
          ])
        ).exit,
        0,
      );
      assert.deepEqual((await stored('selective'))?.['operation'], {
        sync: {
          dryRun: true,
          syncStrategy: { hook: { force: true } },
          resources: [{ group: 'apps', kind: 'Deployment', namespace: corner.target, name: 'web' }],
        },
        initiatedBy: { username: 'alice' },
      });
      assert.equal((await cli(['app', 'sync', 'selective', '--resource', 'Deployment'])).exit, 1);
    });
    test('SYNC-44 a second sync is refused, terminate-op ends the first', async () => {
      await create('busy');
      await cli(['app', 'sync', 'busy', '--async']);
      const { exit, err } = await cli(['app', 'sync', 'busy', '--async']);
      assert.equal(exit, 20);
      assert.match(err, /already in progress/);
      assert.equal((await cli(['app', 'terminate-op', 'busy'])).exit, 0);
      assert.equal((await cli(['app', 'terminate-op', 'busy'])).exit, 20);
    });
    test('CLI-16 wait refreshes first and returns 0 when the condition holds (DISC-60)', async () => {
      await create('waited');
      await patchRaw('waited', { status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } } });
      const [{ exit, out }] = await Promise.all([
        cli(['app', 'wait', 'waited', '--health', '--timeout', '30']),
        answer('waited', refreshing, refreshed),
      ]);
      assert.equal(exit, 0);
      assert.match(out, /Health Status: {6}Healthy/);
    });
    test('CLI-16 a timeout of 0 is no limit, and one that no timer holds ends nothing early', async () => {
      await create('patient');
      await patchRaw('patient', { status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } } });
      for (const timeout of ['0', '0s', '9999999']) {
        const [{ exit, err }] = await Promise.all([
          cli(['app', 'wait', 'patient', '--health', '--timeout', timeout]),
          answer('patient', refreshing, refreshed),
        ]);
        assert.deepEqual({ exit, err }, { exit: 0, err: '' }, timeout);
      }
    });
    test('CLI-16 wait gives 20 and the state reached when time is up', async () => {
      await create('slow');
      await patchRaw('slow', { status: { health: { status: 'Progressing' } } });
      const [{ exit, err }] = await Promise.all([
        cli(['app', 'wait', 'slow', '--health', '--timeout', '1']),
        answer('slow', refreshing, refreshed),
      ]);
      assert.equal(exit, 20);
      assert.match(err, /timed out after 1 s waiting for application slow: health Healthy \(now Progressing\)/);
    });
    test('CLI-20 refresh is another name for get --refresh, and says so (DISC-56)', async () => {
      await create('refreshed');
      const [{ exit, err, out }] = await Promise.all([
        cli(['app', 'refresh', 'refreshed']),
        answer('refreshed', refreshing, { ...refreshed, status: { sync: { status: 'Synced' } } }),
      ]);
      assert.equal(exit, 0);
      assert.match(err, /"app get --refresh" \(DISC-56\)/);
      assert.match(out, /Sync Status: {8}Synced/);
    });
    test('CLI-19 delete asks, and does nothing without a yes', async () => {
      await create('doomed');
      const no = await cli(['app', 'delete', 'doomed'], { input: 'n\n' });
      assert.equal(no.exit, 20);
      assert.match(no.err, /Are you sure you want to delete 'doomed' and all its objects\? \[y\/n\]/);
      assert.equal((await cli(['app', 'delete', 'doomed'])).exit, 20);
      assert.ok(await stored('doomed'));
      assert.equal((await cli(['app', 'delete', 'doomed', '--cascade=false'], { input: 'y\n' })).exit, 0);
      assert.equal(await stored('doomed'), undefined);
    });
    test('CLI-19 delete with cascade leaves the finalizer for the controller', async () => {
      await create('cascaded');
      assert.equal((await cli(['app', 'delete', 'cascaded', '-y', '-p', 'background'])).exit, 0);
      assert.deepEqual((await stored('cascaded'))?.metadata.finalizers, [
        'resources-finalizer.argocd.argoproj.io/background',
      ]);
    });
    test('Ctrl-C ends a wait with 130', async () => {
      await create('interrupted');
      const controller = new AbortController();
      const waiting = cli(['app', 'wait', 'interrupted'], { signal: controller.signal });
      setTimeout(() => controller.abort(new Error('interrupted')), 300);
      assert.equal((await waiting).exit, 130);
    });
  });
}
