import { stripVTControlCharacters } from 'node:util';

/** Width of a text in columns of a terminal: colour codes count nothing, wide characters two. */
export function widthOf(text: string): number {
  // Nearly every cell is plain ASCII.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
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

/**
 * Lines up cells as kubectl and the Argo CD command do: left-aligned, two spaces between columns; the last cell of a row is not
 * padded. Every row ends with a line break.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  // Each cell is measured once: a list may have ten thousand rows.
  const measured = rows.map((row) =>
    row.map((cell) => {
      const text = oneLine(cell);
      return { text, width: widthOf(text) };
    }),
  );
  const widths: number[] = [];
  for (const row of measured)
    for (let column = 0; column < row.length - 1; column++)
      widths[column] = Math.max(widths[column] ?? 0, row[column]?.width ?? 0);
  let table = '';
  for (const row of measured) {
    const last = row.length - 1;
    row.forEach(({ text, width }, column) => {
      table += column === last ? text : text + ' '.repeat((widths[column] ?? 0) - width + 2);
    });
    table += '\n';
  }
  return table;
}
