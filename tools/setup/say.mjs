/** A problem that the user can mend: printed as it is, without a stack trace. */
export class SetupError extends Error {
  /** @param {string} message plain sentences: what is missing, and how to get it */
  constructor(message) {
    super(message);
    this.name = 'SetupError';
  }
}

/** Progress goes to standard error, so that `--print-tools` and piped results stay clean. */
export const say = (line) => {
  process.stderr.write(`${line}\n`);
};

export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;

const seconds = (ms) => `${Math.round(ms / 1000)} s`;

/**
 * Shows how something long goes on: one line that is rewritten on a terminal, else a line now and every 5 s.
 * @param {string} label
 * @param {() => Promise<string>} measure what to say behind the label, for example `12 of 36 MB`
 * @returns {{ finish: (result: string) => void, abandon: () => void }}
 */
export function startProgress(label, measure) {
  const started = Date.now();
  const terminal = process.stderr.isTTY === true;
  let done = false;
  let lastLine = 0;
  const draw = async () => {
    const text = await measure().catch(() => '');
    if (done) return;
    const line = `  ${label}: ${text === '' ? '' : `${text}, `}${seconds(Date.now() - started)}`;
    if (terminal) process.stderr.write(`\r\u001b[K${line}`);
    else if (Date.now() - lastLine >= 4900) {
      lastLine = Date.now();
      say(line);
    }
  };
  void draw();
  const timer = setInterval(draw, terminal ? 500 : 1000);
  const stop = () => {
    done = true;
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\u001b[K');
  };
  return {
    finish: (result) => {
      stop();
      say(`  ${label}: ${result}, ${seconds(Date.now() - started)}`);
    },
    abandon: stop,
  };
}
