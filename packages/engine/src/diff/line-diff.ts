/** One line of a comparison of two texts. */
type Line = Readonly<{ kind: 'same' | 'removed' | 'added'; text: string }>;

/** Texts larger than this are not searched for a shortest difference: their whole middle is shown as replaced. */
const maxCells = 4_000_000;

/** The longest common subsequence by dynamic programming, after equal heads and tails are taken off. */
function lines(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail += 1;
  const same = (text: string): Line => ({ kind: 'same', text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): Line[] {
  const width = after.length + 1;
  if (before.length * after.length > maxCells || before.length === 0 || after.length === 0)
    return [
      ...before.map((text): Line => ({ kind: 'removed', text })),
      ...after.map((text): Line => ({ kind: 'added', text })),
    ];
  const common = new Uint32Array((before.length + 1) * width);
  const cell = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1)
      common[i * width + j] =
        before[i] === after[j] ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1));
  const result: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      result.push({ kind: 'same', text: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (fresh === undefined || cell(i + 1, j) >= cell(i, j + 1))) {
      result.push({ kind: 'removed', text: old });
      i += 1;
    } else {
      result.push({ kind: 'added', text: fresh ?? '' });
      j += 1;
    }
  }
  return result;
}

const sign = { same: ' ', removed: '-', added: '+' } as const;

/** Runs of line numbers that stand within `context` lines of a change. */
function hunks(all: readonly Line[], context: number): [from: number, to: number][] {
  const found: [number, number][] = [];
  all.forEach(({ kind }, index) => {
    if (kind === 'same') return;
    const from = Math.max(0, index - context);
    const to = Math.min(all.length, index + context + 1);
    const last = found.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else found.push([from, to]);
  });
  return found;
}

const range = (start: number, count: number): string =>
  count === 1 ? String(start + 1) : `${count === 0 ? start : start + 1},${count}`;

const split = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** The unified difference of two texts with three lines of context, without file names; empty when they are equal. */
export function lineDiff(before: string, after: string): string {
  const all = lines(split(before), split(after));
  const out: string[] = [];
  for (const [from, to] of hunks(all, 3)) {
    const count = (part: readonly Line[], without: Line['kind']): number =>
      part.filter(({ kind }) => kind !== without).length;
    const [head, body] = [all.slice(0, from), all.slice(from, to)];
    const left = range(count(head, 'added'), count(body, 'added'));
    const right = range(count(head, 'removed'), count(body, 'removed'));
    out.push(`@@ -${left} +${right} @@`, ...body.map(({ kind, text }) => `${sign[kind]}${text}`));
  }
  return out.length === 0 ? '' : `${out.join('\n')}\n`;
}
