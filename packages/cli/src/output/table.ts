import { stripVTControlCharacters } from 'node:util';

// Nearly every cell is plain ASCII, on one line.
const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Width of a text in columns of a terminal: colour codes count nothing, wide characters two. */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    const code = character.codePointAt(0) ?? 0;
    const wide =
      (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3);
    const emoji = (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff00 && code <= 0xff60) || code >= 0x1f300;
    width += wide || emoji ? 2 : 1;
  }
  return width;
}

/** One line of a cell: a line break in a value must not break the table. */
const oneLine = (text: string): string => (/[\r\n]/.test(text) ? text.replaceAll(/\s*[\r\n]+\s*/g, ' ') : text);

type Cell = Readonly<{ text: string; width: number }>;

function measure(cell: string): Cell {
  if (isPlain(cell)) return { text: cell, width: cell.length };
  const text = oneLine(cell);
  return { text, width: widthOf(text) };
}

/** A table that grows row by row: each is measured as it comes, so that little is left to do when the last one is there. */
export type Table = Readonly<{ add: (row: readonly string[]) => void; text: () => string }>;

/**
 * Lines up cells as kubectl and the Argo CD command do: left-aligned, two spaces between columns; the last cell of a row is not
 * padded. Every row ends with a line break.
 */
export function openTable(): Table {
  const rows: (readonly Cell[])[] = [];
  const widths: number[] = [];
  const add = (cells: readonly string[]): void => {
    const row = cells.map(measure);
    rows.push(row);
    for (let column = 0; column < row.length - 1; column++)
      widths[column] = Math.max(widths[column] ?? 0, row[column]?.width ?? 0);
  };
  const text = (): string => {
    let table = '';
    for (const row of rows) {
      const last = row.length - 1;
      row.forEach((cell, column) => {
        table += column === last ? cell.text : cell.text + ' '.repeat((widths[column] ?? 0) - cell.width + 2);
      });
      table += '\n';
    }
    return table;
  };
  return { add, text };
}

/** Lines up the cells of rows that are all there: see openTable. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const table = openTable();
  rows.forEach(table.add);
  return table.text();
}
