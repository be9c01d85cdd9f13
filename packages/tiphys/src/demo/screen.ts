import { styleText } from 'node:util';

/** One line of the demo's table. */
export type Row = Readonly<{ application: string; sync: string; health: string; revision: string; note: string }>;

export type ScreenSettings = Readonly<{ terminal: boolean; colour: boolean }>;

const headings = ['APPLICATION', 'SYNC', 'HEALTH', 'REVISION', ''] as const;
const cells = (row: Row): string[] => [row.application, row.sync, row.health, row.revision.slice(0, 8), row.note];

const tints = new Map<string, 'green' | 'yellow' | 'red'>([
  ['Synced', 'green'],
  ['Healthy', 'green'],
  ['OutOfSync', 'yellow'],
  ['Progressing', 'yellow'],
  ['Degraded', 'red'],
]);

/** The table of applications as lines. */
export function tableLines(rows: readonly Row[], colour: boolean): string[] {
  const lines = [[...headings], ...rows.map(cells)];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const padded = column === line.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 3);
        const tint = tints.get(cell);
        return colour && tint !== undefined ? styleText(tint, padded, { validateStream: false }) : padded;
      })
      .join('')
      .trimEnd(),
  );
}

/** Shows how the applications fare: a table drawn in place on a terminal, otherwise one plain line per change. */
export interface Screen {
  show(rows: readonly Row[]): void;
  /** Ends the live part; what is printed next stands below it. */
  close(): void;
}

const plainLine = ({ application, sync, health, revision, note }: Row): string => {
  const at = revision === '' ? '' : ` at ${revision.slice(0, 8)}`;
  return `${application}: ${sync}, ${health}${at}${note === '' ? '' : ` (${note.slice(0, 160)})`}`;
};

/** @param told rows that need not be told again as they are */
export function openScreen(
  out: NodeJS.WritableStream & { columns?: number },
  { terminal, colour }: ScreenSettings,
  told: readonly Row[] = [],
): Screen {
  let drawn = 0;
  const last = new Map(told.map((row) => [row.application, plainLine(row)]));
  return {
    show: (rows) => {
      if (!terminal) {
        for (const row of rows) {
          const text = plainLine(row);
          if (last.get(row.application) === text) continue;
          last.set(row.application, text);
          out.write(`  ${text}\n`);
        }
        return;
      }
      // A line that wraps would leave the cursor in the wrong place: the note is cut, and told in full at the end.
      const room = Math.max(20, (out.columns ?? 120) - 70);
      const short = rows.map((row) => ({ ...row, note: row.note.slice(0, room) }));
      const lines = tableLines(short, colour);
      out.write(`${drawn > 0 ? `\u001b[${drawn}A` : ''}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[J`);
      drawn = lines.length;
    },
    close: () => {
      drawn = 0;
    },
  };
}
