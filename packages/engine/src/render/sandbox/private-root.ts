import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { type MountPoint, MountPoints } from './mount-points.ts';
import { type ProgramKind, programKind } from './program-kind.ts';
import {
  type Limits,
  limitedShell,
  limitScript,
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
 * where the tool starts, the tool. The host comes to lie on `.host`, where links lead to its programs until `umount` takes it away for
 * good; what is left there is what `unshare` is loaded from. That goes on to `in`, which is all that the tool sees, and becomes nobody:
 * a user without any right, who in a root that was changed cannot make a namespace in which he would have some either.
 */
const script = `${limitScript}; mount --all --fstab "$1" >&2 && cd "$2" && pivot_root . .host && umount -l /.host || exit 125; unshare=$3; cwd=$4; shift 4; PATH=/nonexistent; export PATH; unset PWD OLDPWD; exec "$unshare" --user --map-user=65534 --map-group=65534 --root=/in --wd="$cwd" "$@"`;

/** What stands between the words of a table of mounts has to be written in another way within them. */
const escaped = (path: string): string =>
  path.replace(/[\s\\#]/g, (found) => `\\${(found.codePointAt(0) ?? 0).toString(8).padStart(3, '0')}`);

const line = (source: string, target: string, options: string): string =>
  `${escaped(source)} ${escaped(target)} none ${options} 0 0\n`;

const linesOf = (points: readonly MountPoint[], options: string): readonly string[] =>
  points.map(({ real, target, isFolder }) => line(real, target, `${isFolder ? 'rbind' : 'bind'},${options}`));

const programs = 'ro,nosuid,nodev';
const files = 'nosuid,nodev,noexec';

/** The programs that make a root, by their places. */
type Makers = Readonly<{ unshare: string; others: readonly string[] }>;

const folderOf = ({ rootDir }: PrivateRootSettings): string => join(rootDir, 'root');

/** The folder that all private roots are mounted over. */
class Roots {
  readonly #settings: PrivateRootSettings;
  /** The root while it is made. */
  readonly folder: string;
  /** What the tool sees. */
  readonly #inner: MountPoints;
  /** The mounts that every root has. */
  readonly #always: readonly string[];

  private constructor(settings: PrivateRootSettings, inner: MountPoints, always: readonly string[]) {
    this.#settings = settings;
    this.folder = folderOf(settings);
    this.#inner = inner;
    this.#always = always;
  }

  /** Makes the folder. What the makers are loaded from is found by way of `.host`, where the host comes to lie. */
  static async make(settings: PrivateRootSettings, { unshare, others }: Makers): Promise<Roots> {
    const folder = folderOf(settings);
    const proc = join(folder, 'proc');
    await rm(settings.rootDir, { recursive: true, force: true });
    await mkdir(proc, { recursive: true });
    await mkdir(join(folder, 'in', 'proc'), { recursive: true });
    const needed = [unshare, ...others, ...visible.libraries];
    for (const top of new Set(needed.map((path) => path.split('/')[1] ?? '')))
      await symlink(join('.host', top), join(folder, top));
    const system = await MountPoints.open(join(folder, '.host'), []);
    const lasting = [...visible.devices, ...visible.always, ...visible.libraries];
    const inner = await MountPoints.open(join(folder, 'in'), lasting);
    return new Roots(settings, inner, [
      line(folder, folder, `bind,ro,${files}`),
      // Its processes, and nothing that the kernel tells of itself.
      `proc ${escaped(proc)} proc subset=pid,${files} 0 0\n`,
      line(proc, join(folder, 'in', 'proc'), `bind,ro,${files}`),
      ...linesOf(await system.of([unshare, ...visible.libraries]), programs),
      ...linesOf(await inner.of(visible.devices), 'nosuid,noexec'),
    ]);
  }

  /** Writes the table of mounts for a tool; where it lies. */
  async write(tool: Tool, network: Limits['network'], isLinked: boolean): Promise<string> {
    const { rootDir, certificates } = this.#settings;
    const seen = [
      ...visible.always,
      ...(isLinked ? visible.libraries : []),
      ...(network === 'allowed' ? [...visible.network, ...certificates] : []),
      tool.command,
      ...(tool.starts ?? []),
      ...(tool.reads ?? []),
    ];
    const table = [
      ...this.#always,
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

/** The place of a program on a PATH. */
async function findProgram(name: string, path: string): Promise<string | undefined> {
  const places = path.split(delimiter).map((folder) => join(folder, name));
  const found = await Promise.allSettled(places.map((place) => access(place, constants.X_OK)));
  return places.find((_, index) => found[index]?.status === 'fulfilled');
}

async function findMakers(path: string): Promise<Makers | undefined> {
  const [unshare, ...others] = await Promise.all(
    ['unshare', 'mount', 'umount', 'pivot_root'].map((name) => findProgram(name, path)),
  );
  const found = others.filter((place) => place !== undefined);
  return unshare === undefined || found.length < others.length ? undefined : { unshare, others: found };
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
  const makers = await findMakers(settings.path);
  if (makers === undefined) return undefined;
  const known = new Map(await Promise.all(settings.programs.map(async (path) => [path, await kindOf(path)] as const)));
  if ([...known.values()].includes('script')) return undefined;
  const roots = await Roots.make(settings, makers);
  const { unshare } = makers;
  const wrap: Sandbox['wrap'] = async (tool, limits) => {
    const started = [tool.command, ...(tool.starts ?? [])];
    const kinds = await Promise.all(started.map(async (path) => known.get(path) ?? (await kindOf(path))));
    if (kinds[0] === 'script') return otherwise(tool, limits);
    return {
      command: unshare,
      args: [
        ...namespaceArguments(rights, limits),
        '--',
        ...limitedShell(script, limits, settings.maxMemoryBytes),
        await roots.write(tool, limits.network, kinds.includes('linked')),
        roots.folder,
        unshare,
        tool.run?.cwd ?? '/',
        tool.command,
        ...tool.args,
      ],
    };
  };
  const linked = settings.programs.filter((path) => known.get(path) === 'linked');
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
