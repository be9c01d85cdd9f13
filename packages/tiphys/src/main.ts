import { CodedError, isCoded, messageOf } from '@tiphys/api';
import { readEnvironment } from './config.ts';

/** The long-running roles; everything else is the command line. */
const roles = {
  demo: async () => (await import('./roles/demo.ts')).demo,
  controller: async () => (await import('./roles/controller.ts')).controller,
} as const;

const isRole = (word: string | undefined): word is keyof typeof roles => word !== undefined && word in roles;

/** Aborted by Ctrl-C and SIGTERM; a second Ctrl-C ends the program at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new CodedError('cli/aborted', 'interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

async function run(argv: readonly string[]): Promise<number> {
  const environment = readEnvironment();
  const signal = interruption();
  const [first, ...rest] = argv;
  if (isRole(first)) return (await roles[first]())(rest, environment, signal);
  const { commandLine } = await import('./roles/command-line.ts');
  const exit = await commandLine(argv, environment, signal);
  // What a command leaves open (an idle connection, a timer) is not waited for, and taking memory down in order takes as long as
  // many a command.
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(exit);
}

/** Resolves when everything that a stream was given has been written. */
const written = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.write('', () => resolve());
  });

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!isCoded(error, 'cli/aborted')) process.stderr.write(`tiphys: ${messageOf(error)}\n`);
  process.exitCode = error instanceof CodedError ? error.policy.exit : 20;
}
