import { join, resolve } from 'node:path';
import { systemClock } from '@tiphys/api';
import { parseDuration } from '@tiphys/language';
import { type Environment, programRoot } from '../config.ts';
import { runDemo } from '../demo/demo.ts';
import { type FlagValues, helpText, readFlags } from '../flags.ts';
import { openLog } from '../log.ts';
import { findTools } from '../tools.ts';

const usage = {
  usage: 'npm start -- [flags]    or    tiphys demo [flags]',
  summary: 'Starts a cluster in this process and takes applications from a Git repository to it.',
  flags: {
    once: { doc: 'end when everything is Synced and Healthy (exit code 0), or at the deadline (not 0)' },
    repo: { value: 'URL_OR_DIR', doc: 'your own Git repository instead of the sample' },
    path: { value: 'P', doc: 'folder of the manifests in it (default: the root)' },
    revision: { value: 'REV', doc: 'branch, tag or commit (default: HEAD)' },
    dir: {
      value: 'DIR',
      doc: 'where the cluster state and the sample repository are kept (default: .demo in the clone)',
    },
    timeout: { value: 'DURATION', doc: 'deadline of --once (default: 3m)' },
    'log-level': { value: 'LEVEL', doc: 'debug, info, warn or error (default: error)' },
    help: { doc: 'this text' },
  },
  examples: ['npm start', 'npm start -- --once', 'npm start -- --repo ../my-manifests --path overlays/dev'],
} as const;

export const demoUsage = usage;

const readRequest = (flags: FlagValues<(typeof usage)['flags']>) => ({
  once: flags.once === true,
  repo: flags.repo,
  path: flags.path ?? '.',
  revision: flags.revision ?? 'HEAD',
  directory: resolve(flags.dir ?? join(programRoot, '.demo')),
  timeoutMs: parseDuration(flags.timeout ?? '3m'),
});

/** `tiphys demo`: what `npm start` runs. */
export async function demo(argv: readonly string[], environment: Environment, signal: AbortSignal): Promise<number> {
  const flags = readFlags(argv, usage);
  if (flags.help === true) {
    process.stdout.write(helpText(usage));
    return 0;
  }
  const request = readRequest(flags);
  const terminal = process.stdout.isTTY;
  const log = openLog({ level: flags['log-level'] ?? 'error', format: 'text' });
  return runDemo(request, {
    root: programRoot,
    composition: {
      tools: findTools(environment),
      git: { path: environment.path, environment: environment.gitEnvironment },
      hiddenPaths: environment.privatePaths,
      dataDir: join(request.directory, 'data'),
      log,
      clock: systemClock,
    },
    out: process.stdout,
    terminal,
    colour: terminal && environment.colour,
    log,
    clock: systemClock,
    signal,
  });
}
