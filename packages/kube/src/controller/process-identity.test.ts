import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { text } from 'node:stream/consumers';
import { isProcessGone, processIdentity } from './process-identity.ts';

const options = { skip: existsSync('/proc/self/ns/pid') ? false : 'no /proc here' };

/** Another process of this machine, and what it calls itself. */
async function another(): Promise<{ identity: string; kill: () => Promise<void> }> {
  const module = new URL('./process-identity.ts', import.meta.url).href;
  const program = `const { processIdentity } = await import('${module}'); console.log(await processIdentity()); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    identity: first.toString().trim(),
    kill: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await Promise.all([exit, text(child.stdout)]);
    },
  };
}

test('each process has one of its own, and is there', options, async () => {
  const [one, two] = await Promise.all([processIdentity(), processIdentity()]);
  assert.notEqual(one, two);
  assert.equal(await isProcessGone(one), false);
});

test('REC-16 a killed process of this machine is known to be gone', options, async () => {
  const { identity, kill } = await another();
  assert.equal(await isProcessGone(identity), false);
  await kill();
  assert.equal(await isProcessGone(identity), true);
});

test('a pid that another process has now says that the one before is gone', options, async () => {
  const [host, boot, space, pid, started, random] = (await processIdentity()).split('_');
  const earlier = [host, boot, space, pid, String(Number(started) - 1), random].join('_');
  assert.equal(await isProcessGone(earlier), true);
});

test('nothing is concluded of another boot, another container, or a name of another make', options, async () => {
  const [host = '', boot = '', space = ''] = (await processIdentity()).split('_');
  const otherBoot = `${boot.startsWith('0') ? '1' : '0'}${boot.slice(1)}`;
  for (const identity of [
    [host, otherBoot, space, '4194304', '1', 'ab'].join('_'),
    [host, boot, `${space}1`, '4194304', '1', 'ab'].join('_'),
    `${host}_0123456789ab`,
    'argocd-application-controller-0',
    '',
  ])
    assert.equal(await isProcessGone(identity), false, identity);
});
