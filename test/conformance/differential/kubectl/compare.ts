import { plainText } from './plain-text.ts';
import type { Printed } from './session.ts';

/** What one script printed on both clusters. */
export type Comparison = Readonly<{ real: readonly Printed[]; embedded: readonly Printed[]; namespace: string }>;

/** Lines of two texts that only one of them has: `-` the real cluster's, `+` the embedded one's. */
function changedLines(real: string, embedded: string): string {
  const [left, right] = [real.split('\n'), embedded.split('\n')];
  const without = (lines: readonly string[], others: readonly string[]): string[] => {
    const left = [...others];
    return lines.filter((line) => {
      const at = left.indexOf(line);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  };
  const lines = [
    ...without(left, right).map((line) => `  - ${line}`),
    ...without(right, left).map((line) => `  + ${line}`),
  ];
  return lines.length > 0 ? lines.join('\n') : `  the same lines in another order:\n${real}\n  and\n${embedded}`;
}

/** One text for each command that the two clusters answered differently. */
export function differencesOf({ real, embedded, namespace }: Comparison): string[] {
  return real.flatMap(({ line, output }, index) => {
    const [wanted, got] = [output, embedded[index]?.output ?? ''].map((text) =>
      plainText(text, namespace, line.startsWith('sorted:')),
    );
    if (wanted === got) return [];
    return [`$ kubectl ${line}\n${changedLines(wanted ?? '', got ?? '')}`];
  });
}
