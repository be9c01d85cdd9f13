import { randomBytes } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Where one process runs: what two of them must share so that one can tell whether the other is still there. */
type Place = Readonly<{
  /** Of this start of the machine. */
  bootId: string;
  /** The pid namespace: inside it a pid means one process. */
  pidSpace: string;
}>;

/** `<host>_<boot>_<pid namespace>_<pid>_<start>_<random>`; without `/proc` only host and random. */
const pattern = /_(?<bootId>[0-9a-f-]{36})_(?<pidSpace>\d+)_(?<pid>\d+)_(?<started>\d+)_[0-9a-f]+$/;

async function readPlace(): Promise<Place | undefined> {
  try {
    const [bootId, pidSpace, self] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readlink('/proc/self'),
    ]);
    // A /proc of another pid namespace tells of other processes than those that our numbers mean.
    if (self !== String(process.pid)) return undefined;
    const space = /^pid:\[(\d+)\]$/.exec(pidSpace)?.[1];
    return space === undefined ? undefined : { bootId: bootId.trim(), pidSpace: space };
  } catch {
    // No Linux, or no /proc: nothing is known, and nothing is concluded.
    return undefined;
  }
}

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** When a process started, in ticks since the machine did; '' when there is no such process; undefined when it cannot be told. */
async function startOf(pid: string): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold anything; start time is the 20th field after it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    return isAbsent(error) ? '' : undefined;
  }
}

/** A name of this process that no other process has, on this machine or another. */
export async function processIdentity(): Promise<string> {
  const place = await readPlace();
  const started = place === undefined ? undefined : await startOf(String(process.pid));
  const random = randomBytes(6).toString('hex');
  if (place === undefined || started === undefined || started === '') return `${hostname()}_${random}`;
  return [hostname(), place.bootId, place.pidSpace, process.pid, started, random].join('_');
}

/**
 * Whether the process of an identity has certainly ended: it ran in this very start of this machine and in our pid namespace, and its
 * pid is free, or another process's. False wherever that cannot be told: another machine, another container, no `/proc`.
 */
export async function isProcessGone(identity: string): Promise<boolean> {
  const { bootId, pidSpace, pid = '', started } = pattern.exec(identity)?.groups ?? {};
  const place = await readPlace();
  if (place === undefined || place.bootId !== bootId || place.pidSpace !== pidSpace) return false;
  const now = await startOf(pid);
  return now !== undefined && now !== started;
}
