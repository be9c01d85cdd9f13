import { stripVTControlCharacters } from 'node:util';
import type { CliIo } from '../io.ts';

/** One line that says how far something is: rewritten in place on a terminal, nowhere to be seen elsewhere. */
export type ProgressLine = Readonly<{ show: (text: string) => void; clear: () => void }>;

const eraseLine = '\r\u001b[2K';

/** Progress goes to standard error, so that what is printed can be piped. */
export function openProgress({ stderr, terminal }: CliIo): ProgressLine {
  if (!terminal.stderr) return { show: () => undefined, clear: () => undefined };
  let shown = '';
  return {
    show: (text) => {
      const line = stripVTControlCharacters(text).slice(0, (stderr.columns ?? 80) - 1);
      if (line === shown) return;
      shown = line;
      stderr.write(`${eraseLine}${line}`);
    },
    clear: () => {
      if (shown === '') return;
      shown = '';
      stderr.write(eraseLine);
    },
  };
}
