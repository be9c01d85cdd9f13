import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { type MountPoint, MountPoints } from './mount-points.ts';
import { type ProgramKind, programKind } from './program-kind.ts';
import {
  type Limits,
  limitScript,
  limitWords,
  namespaceArguments,
  passes,
  type Rights,
  type RunFolder,
  type Sandbox,
  type Tool,
  trialPassed,
} from './sandbox.ts';

/**
 * All that a tool sees of the host beside its programs, what it is said to read, its run, and `/proc` of its own processes. It can
 * write to its run alone. What a host lacks is passed over.
 */
const visible = {
  devices: ['/dev/null', '/dev/zero', '/dev/urandom'],
  /** Charts write times in zones. */
  always: ['/etc/localtime', '/usr/share/zoneinfo'],
  /** For programs that are linked to libraries. */
  libraries: ['/lib', '/lib32', '/lib64', '/usr/lib', '/usr/lib32', '/usr/lib64', '/etc/ld.so.cache'],
  /** Names of hosts, and whom to trust. */
  network: [
    '/etc/resolv.conf',
    '/etc/hosts',
    '/etc/nsswitch.conf',
    '/etc/ssl/certs',
    '/etc/ssl/cert.pem',
    '/etc/ssl/ca-bundle.pem',
    '/etc/pki/tls/certs',
    '/etc/pki/tls/cacert.pem',
    '/etc/pki/ca-trust/extracted',
  ],
} as const;

export type PrivateRootSettings = Readonly<{
  /** PATH on which the programs that make a root are looked for. */
  path: string;
  /** Folder for what roots are made of; emptied. */
  rootDir: string;
  /** Programs that are known from the start: a private root has to suit them all. */
  programs: readonly string[];
  /** Files and folders that runs with the network see, too. */
  certificates: readonly string[];
  /** Address space of a tool. */
  maxMemoryBytes: number;
}>;

/*
 * Makes the root and becomes the tool in it. Arguments: those of the limits, the table of mounts, the folder of the root, `unshare`,
 * where the tool starts, the tool. The host comes to lie on `.host`, so that the programs of the host are found until `umount` takes
 * it away for good; below it then lies what `unshare` itself is loaded from. That goes on to `in`, as a user who is nobody: without
 * any right, and in a root of its own kind, from which no process may make itself a namespace in which it has some.
 */
const script = `${limitScript}; mount --all --fstab "$1" >&2 && cd "$2" && pivot_root . .host && umount -l /.host || exit 125; unshare=$3; cwd=$4; shift 4; PATH=/nonexistent; export PATH; exec "$unshare" --user --map-user=65534 --map-group=65534 --root=/in --wd="$cwd" "$@"`;

/** What stands between the words of a table of mounts has to be written in another way within them. */
const escaped = (path: string): string =>
  path.replace(/[\s\\#]/g, (found) => `\\${(found.codePointAt(0) ?? 0).toString(8).padStart(3, '0')}`);

const line = (source: string, target: string, options: string): string =>
  `${escaped(source)} ${escaped(target)} none ${options} 0 0\n`;

const linesOf = (points: readonly MountPoint[], options: string): readonly string[] =>
  points.map(({ real, target, isFolder }) => line(real, target, `${isFolder ? 'rbind' : 'bind'},${options}`));

const programs = 'ro,nosuid,nodev';
const files = 'nosuid,nodev,noexec';

/** The folder that all private roots are mounted over. */
class Roots {
  readonly #settings: PrivateRootSettings;
  readonly #unshare: string;
  /** The root while it is made. */
  readonly folder: string;
  /** Where the host comes to lie, and what `unshare` is loaded from. */
  readonly #system: MountPoints;
  /** What the tool sees. */
  readonly #inner: MountPoints;

  constructor(settings: PrivateRootSettings, unshare: string) {
    this.#settings = settings;
    this.#unshare = unshare;
    this.folder = join(settings.rootDir, 'root');
    this.#system = new MountPoints(join(this.folder, '.host'));
    this.#inner = new MountPoints(join(this.folder, 'in'));
  }

  /** Makes the folder. All that leads to programs and libraries of the host is found by way of `.host`. */
  async make(makers: readonly string[]): Promise<void> {
    await rm(this.#settings.rootDir, { recursive: true, force: true });
    await mkdir(join(this.folder, 'proc'), { recursive: true });
    await mkdir(join(this.folder, 'in', 'proc'), { recursive: true });
    const tops = new Set([...makers, ...visible.libraries].map((path) => path.split('/')[1] ?? ''));
    for (const top of tops) await symlink(join('.host', top), join(this.folder, top));
  }

  /** Writes the table of mounts for a tool; where it lies. */
  async write(tool: Tool, network: Limits['network'], isLinked: boolean): Promise<string> {
    const { rootDir, certificates } = this.#settings;
    const proc = join(this.folder, 'proc');
    const seen = [
      ...visible.always,
      ...(isLinked ? visible.libraries : []),
      ...(network === 'allowed' ? [...visible.network, ...certificates] : []),
      tool.command,
      ...(tool.starts ?? []),
      ...(tool.reads ?? []),
    ];
    const table = [
      line(this.folder, this.folder, `bind,ro,${files}`),
      `proc ${escaped(proc)} proc ${files} 0 0\n`,
      line(proc, join(this.folder, 'in', 'proc'), `bind,ro,${files}`),
      ...linesOf(await this.#system.of([this.#unshare, ...visible.libraries]), programs),
      ...linesOf(await this.#inner.of(visible.devices), 'nosuid,noexec'),
      ...linesOf(await this.#inner.of(seen), programs),
      ...(tool.run === undefined ? [] : await this.#linesOfRun(tool.run)),
    ];
    const file = tool.run === undefined ? join(rootDir, `${randomUUID()}.fstab`) : join(tool.run.folder, '.fstab');
    await writeFile(file, table.join(''));
    return file;
  }

  /** Its neighbours are not there: over the folder of all runs comes one that has a place for this one only. */
  async #linesOfRun({ folder, writes }: RunFolder): Promise<readonly string[]> {
    const alone = join(folder, '.alone');
    await mkdir(join(alone, basename(folder)), { recursive: true });
    const runs = await this.#inner.of([dirname(folder)]);
    return runs.flatMap(({ target }) => {
      const within = (path: string): string => join(target, basename(folder), relative(folder, path));
      return [
        line(alone, target, `bind,ro,${files}`),
        line(folder, within(folder), `bind,ro,${files}`),
        ...writes.map((path) => line(path, within(path), `bind,${files}`)),
      ];
    });
  }
}

/** What makes a root. */
const makers = ['unshare', 'mount', 'umount', 'pivot_root'] as const;

/** The place of a program on a PATH. */
async function findProgram(name: string, path: string): Promise<string | undefined> {
  const places = path.split(delimiter).map((folder) => join(folder, name));
  const found = await Promise.allSettled(places.map((place) => access(place, constants.X_OK)));
  return places.find((_, index) => found[index]?.status === 'fulfilled');
}

/** A program that is not there is one of which nothing is known. */
const kindOf = (path: string): Promise<ProgramKind> => programKind(path).catch(() => 'script');

type Opening = Readonly<{
  settings: PrivateRootSettings;
  rights: Rights;
  /** For scripts: nobody knows what they start. */
  otherwise: Sandbox['wrap'];
}>;

/** Wraps tools in roots of their own; undefined where the host does not allow that, or where not all that is needed works in them. */
export async function openPrivateRoot(
  { settings, rights, otherwise }: Opening,
  signal: AbortSignal,
): Promise<Sandbox['wrap'] | undefined> {
  const found = await Promise.all(makers.map((name) => findProgram(name, settings.path)));
  const [unshare] = found;
  if (unshare === undefined || found.includes(undefined)) return undefined;
  const kinds = await Promise.all(settings.programs.map(kindOf));
  if (kinds.includes('script')) return undefined;
  const roots = new Roots(settings, unshare);
  await roots.make(found.filter((path) => path !== undefined));
  const wrap: Sandbox['wrap'] = async (tool, limits) => {
    const all = await Promise.all([tool.command, ...(tool.starts ?? [])].map(kindOf));
    if (all[0] === 'script') return otherwise(tool, limits);
    const isLinked = all.includes('linked');
    return {
      command: unshare,
      args: [
        ...namespaceArguments(rights, limits),
        '--',
        '/bin/sh',
        '-c',
        script,
        'sh',
        ...limitWords(limits, settings.maxMemoryBytes),
        await roots.write(tool, limits.network, isLinked),
        roots.folder,
        unshare,
        tool.run?.cwd ?? '/',
        tool.command,
        ...tool.args,
      ],
    };
  };
  const linked = settings.programs.filter((_, index) => kinds[index] === 'linked');
  return (await isPrivate(wrap, { settings, linked }, signal)) ? wrap : undefined;
}

// Arguments: what must not be there, a file that must not be written to, a folder that may be, programs that must be there, `--`, and
// those of them whose libraries must be found.
const trialScript = `[ ! -e "$1" ] && [ -f "$2" ] && ! ( : > "$2" ) 2> /dev/null && : > "$3/written" || exit 1; shift 3; while [ "$1" != -- ]; do [ -x "$1" ] || exit 1; shift; done; shift; for program; do "$program" --version > /dev/null 2>&1; [ $? != 127 ] || exit 1; done; exit ${trialPassed}`;

/** Tries a root: what lies beside a run is out of sight, what the run reads cannot be written to, and the programs start. */
async function isPrivate(
  wrap: Sandbox['wrap'],
  { settings, linked }: Readonly<{ settings: PrivateRootSettings; linked: readonly string[] }>,
  signal: AbortSignal,
): Promise<boolean> {
  const trial = join(settings.rootDir, 'trial');
  const canary = join(trial, 'canary');
  const folder = join(trial, 'run');
  const home = join(folder, 'home');
  const kept = join(folder, 'kept');
  await mkdir(home, { recursive: true });
  await writeFile(canary, '');
  await writeFile(kept, '');
  const tool: Tool = {
    command: '/bin/sh',
    args: ['-c', trialScript, 'sh', canary, kept, home, ...settings.programs, '--', ...linked],
    starts: settings.programs,
    run: { folder, writes: [home], cwd: home },
  };
  const passed = await passes(await wrap(tool, { network: 'none' }), settings.path, signal);
  await rm(trial, { recursive: true, force: true });
  return passed;
}
