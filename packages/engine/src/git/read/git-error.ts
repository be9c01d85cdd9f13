import { CodedError, describeRepository, type ErrorCode } from '@tiphys/api';
import { type RepositoryAccess, withoutSecrets } from './repository-access.ts';
import type { ProcessOutcome } from './run-process.ts';

/** What git says, and what it means. The first that matches counts. */
const meanings: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [
    /Authentication failed|could not read (?:Username|Password)|Permission denied|Host key verification failed|error: 40[13]|HTTP Basic: Access denied/i,
    'git/authentication',
  ],
  [
    /fsck error|in object [0-9a-f]+:|index-pack failed|hasDotgit|hasDotdot|fullPathname|dubious ownership/i,
    'git/hostile-repository',
  ],
  [/couldn't find remote ref|not our ref|bad object|unknown revision/i, 'git/revision-not-found'],
];

/** The lines of git's answer that say something. */
const tellingLines = (stderr: string): string => {
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/^(?:fatal|error|remote): /, '').trim())
    .filter((line) => line !== '' && !/^(?:warning|hint):|^and the repository exists|^Please make sure/.test(line));
  return lines.slice(0, 5).join('; ');
};

/** A failure of git as an error that names repository and cause, without secrets. */
export function gitError(
  outcome: Exclude<ProcessOutcome, { kind: 'exit'; code: 0 }>,
  access: RepositoryAccess,
  what: string,
): CodedError {
  const name = describeRepository(access.url);
  if (outcome.kind === 'not-started')
    return new CodedError('git/unreachable', `git could not be started (${outcome.reason}); install git 2.30 or newer`);
  if (outcome.kind === 'timeout')
    return new CodedError('git/timeout', `${name}: ${what} took too long and was stopped`);
  if (outcome.kind === 'too-much-output') return new CodedError('git/too-large', `${name}: ${what} answered too much`);
  const found = meanings.find(([pattern]) => pattern.test(outcome.stderr));
  const why = withoutSecrets(tellingLines(outcome.stderr), access) || `git ended with ${outcome.code}`;
  return new CodedError(found?.[1] ?? 'git/unreachable', `${name}: ${what} failed: ${why}`);
}
