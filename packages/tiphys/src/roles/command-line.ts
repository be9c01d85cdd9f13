import { userInfo } from 'node:os';
import { basename, resolve } from 'node:path';
import { systemClock, silentLogger, parseJson, stringAt } from '@tiphys/api';
import { type CliIo, runCli } from '@tiphys/cli';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, programRoot } from '../config.ts';

function readVersion(): string {
  return stringAt(parseJson(readFileSync(join(programRoot, 'package.json'), 'utf8')), 'version') ?? '0.0.0';
}

/** Connects with kubectl's flags and files; loaded only when a command needs the cluster. */
async function openClient(
  flags: Parameters<CliIo['connect']>[0],
  environment: Environment,
): ReturnType<CliIo['connect']> {
  const { connect, defaultClientSettings, loadKubeconfigFile } = await import('@tiphys/kube');
  const [path = ''] = flags.kubeconfig === undefined ? environment.kubeconfigPaths : [flags.kubeconfig];
  const config = loadKubeconfigFile(resolve(path), flags.context);
  const changed = {
    ...config,
    ...(flags.server !== undefined && { server: flags.server }),
    ...(flags.token !== undefined && { credentials: { kind: 'token' as const, token: flags.token } }),
    ...(flags.as !== undefined && { impersonate: { user: flags.as, groups: flags.asGroups } }),
    ...(flags.insecureSkipTlsVerify === true && { insecure: true, ca: undefined }),
    ...(flags.certificateAuthority !== undefined && { ca: readFileSync(flags.certificateAuthority, 'utf8') }),
  };
  const settings = {
    ...defaultClientSettings,
    execEnvironment: environment.execEnvironment,
    userAgent: 'tiphys-cli',
    ...(flags.requestTimeoutMs !== undefined && { timeoutMs: flags.requestTimeoutMs }),
  };
  return connect(changed, settings, { log: silentLogger, clock: systemClock });
}

const currentUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid that no user database knows.
    return 'unknown';
  }
};

/** Everything that is no role: the command line in core mode. */
export function commandLine(argv: readonly string[], environment: Environment, signal: AbortSignal): Promise<number> {
  const io: CliIo = {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    terminal: { stdin: process.stdin.isTTY, stdout: process.stdout.isTTY, stderr: process.stderr.isTTY },
    settings: {
      program: basename(process.argv[1] ?? 'tiphys').replace(/\.mjs$/, ''),
      username: currentUser(),
      noColor: !environment.colour,
      options: environment.options,
      version: { version: readVersion() },
    },
    clock: systemClock,
    signal,
    connect: (flags) => openClient(flags, environment),
  };
  return runCli(argv, io);
}
