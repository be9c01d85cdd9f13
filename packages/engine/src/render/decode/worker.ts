/**
 * The decode worker: a process of its own that reads untrusted text (manifests, output of tools, kustomizations, charts) and answers
 * with JSON. It is started by worker-process.ts with an empty environment and ends with its standard input.
 */
import { answer } from './answer.ts';
import { type Frame, FrameReader, frameOf } from './frame.ts';
import { type Answer, parseQuestion, type Question } from './protocol.ts';
import { type NamedText, readText } from './read-text.ts';

function say(head: Answer, body: readonly Buffer[] = []): void {
  // All parts in one call to the system.
  process.stdout.cork();
  for (const part of frameOf(JSON.stringify(head), body)) process.stdout.write(part);
  process.stdout.uncork();
}

/** What is smaller than this is never slow: it is not worth a message to say which file comes. */
const largeBytes = 16 * 1024;

/** The texts of a question one after another; of the large ones it is said when they come and when they are done. */
function* textsOf({ files }: Question, body: Buffer): Generator<NamedText> {
  let from = 0;
  let told: number | undefined;
  for (const [index, { path, bytes }] of files.entries()) {
    const file = bytes > largeBytes ? index : undefined;
    if (file !== told) say(file === undefined ? { kind: 'at' } : { kind: 'at', file });
    told = file;
    yield readText(path, body.subarray(from, from + bytes));
    from += bytes;
  }
}

function take({ head, body }: Frame): void {
  const question = parseQuestion(head);
  const found = answer(question, { files: textsOf(question, body), body });
  if (found.kind === 'error') {
    say(found);
    return;
  }
  const { texts, digest, warnings } = found;
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system) / 1000;
  say({ kind: 'values', digest, warnings, cpuMs, rssBytes: process.memoryUsage.rss() }, [
    Buffer.from(texts.join('\n'), 'utf8'),
  ]);
}

/** The program is trusted; a question that it could not have meant ends the worker. */
const maxQuestionBytes = 2 ** 31;

const questions = new FrameReader(maxQuestionBytes);
process.stdin.on('data', (chunk: Buffer) => {
  for (const frame of questions.push(chunk)) take(frame);
});
process.stdin.once('end', () => process.exit(0));
say({ kind: 'ready' });
