import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError, say } from './say.mjs';

const waitAtMostMs = 15 * 60_000;

/**
 * Runs `work` while no other process runs it for the same folder: two terminals may start at once.
 * A lock whose owner has died is taken over.
 * @template T
 * @param {string} lock a path that does not exist yet
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function exclusively(lock, work) {
  const deadline = Date.now() + waitAtMostMs;
  let told = false;
  while (!take(lock)) {
    if (Date.now() > deadline)
      throw new SetupError(`Another set-up has been running for too long. If none is, delete ${lock} and try again.`);
    if (!told) say('  waiting for another set-up of this clone to finish');
    told = true;
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(lock) {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!ownerLives(lock)) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function ownerLives(lock) {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    if (error.code === 'EPERM') return true;
    // Between mkdir and the writing of the pid there is no file yet: give its owner a moment.
    if (error.code === 'ENOENT') return ageMs(lock) < 2000;
    return false;
  }
}

const ageMs = (path) => {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return Infinity;
  }
};
