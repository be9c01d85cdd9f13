import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Colours words on a terminal, and leaves them alone elsewhere. */
export type Style = Readonly<{ paint: (text: string, as: Format) => string; status: (word: string) => string }>;

const colours: Readonly<Record<string, Format>> = {
  Synced: 'green',
  Healthy: 'green',
  Succeeded: 'green',
  OutOfSync: 'yellow',
  Progressing: 'cyan',
  Running: 'cyan',
  Suspended: 'blue',
  Missing: 'yellow',
  Degraded: 'red',
  Failed: 'red',
  Error: 'red',
};

/** @param colour whether the output is a terminal that wants colour */
export function openStyle(colour: boolean): Style {
  const paint = (text: string, as: Format): string => (colour ? styleText(as, text, { validateStream: false }) : text);
  return {
    paint,
    status: (word) => {
      const as = colours[word];
      return as === undefined ? word : paint(word, as);
    },
  };
}
