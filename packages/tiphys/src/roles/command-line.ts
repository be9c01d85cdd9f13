import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { isatty } from 'node:tty';
import { parseJson, silentLogger, stringAt, systemClock } from '@tiphys/api';
import { type CliIo, connectToCluster, runCli } from '@tiphys/cli';
import { type Environment, programRoot } from '../config.ts';
import { findTools } from '../tools.ts';

const readVersion = (): string =>
  stringAt(parseJson(readFileSync(join(programRoot, 'package.json'), 'utf8')), 'version') ?? '0.0.0';

const currentUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid that no user database knows.
    return 'unknown';
  }
};

/** 128 and the number of SIGPIPE: what a shell sees of other programs whose reader has gone. */
const readerGone = 141;

/** `app list | head`: a reader that has enough ends the program, without a word. */
function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(readerGone);
    });
}

/** Everything that is no role: the command line in core mode. */
export function commandLine(argv: readonly string[], environment: Environment, signal: AbortSignal): Promise<number> {
  endWithReader();
  const { kubeconfigPaths, inCluster, execEnvironment, path, gitEnvironment } = environment;
  const connection = { kubeconfigPaths, inCluster, execEnvironment, userAgent: 'tiphys-cli' };
  const io: CliIo = {
    stdout: process.stdout,
    stderr: process.stderr,
    // Opened by who reads it: that alone costs a short command more than most of what it does.
    get stdin() {
      return process.stdin;
    },
    terminal: { stdin: isatty(0), stdout: isatty(1), stderr: isatty(2) },
    settings: {
      program: basename(process.argv[1] ?? 'tiphys').replace(/\.mjs$/, ''),
      username: currentUser(),
      noColor: !environment.colour,
      editor: environment.editor,
      options: environment.options,
      namespace: environment.namespace,
      roles: {
        controller: 'Bring the applications of a cluster to their desired state, until it is stopped',
        demo: 'Start an embedded cluster with sample applications (npm start)',
      },
      version: { version: readVersion() },
    },
    clock: systemClock,
    signal,
    connect: (flags) => connectToCluster(flags, connection, { log: silentLogger, clock: systemClock }),
    renderTools: () => findTools(environment),
    git: { path, environment: gitEnvironment },
  };
  return runCli(argv, io);
}
