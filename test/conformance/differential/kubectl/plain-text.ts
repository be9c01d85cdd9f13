/** What differs from run to run, and what stands in its place. The order matters: longer forms come first. */
const replacements: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<time>'],
  [/("?resourceVersion"?: ?)"\d+"/g, '$1"<version>"'],
  [/https:\/\/[\w.]+:\d+/g, '<server>'],
  [/\b127\.0\.0\.1:\d+/g, '<server>'],
  [/\b(?:10|198|192|172)\.\d+\.\d+\.\d+\b/g, '<address>'],
  [/\/tmp\/(?:LIVE|MERGED)-[\w<>]+/g, '/tmp/<folder>'],
  // Before the hashes: a number may have none but digits that occur in them.
  [/kubectl-edit-\d+/g, 'kubectl-edit-<n>'],
  // POD of a workload: NAME-HASH-SUFFIX or NAME-SUFFIX; a replica set: NAME-HASH.
  [/-[bcdf0-9a-z]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '-<pod>'],
  [/-[bcdfghjklmnpqrstvwxz2456789]{7,10}\b/g, '-<hash>'],
  [/-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '-<suffix>'],
  [/\b3[0-2]\d{3}(\/TCP|$)/gm, '<port>$1'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000/g, '<time>'],
  [/W\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ /g, 'W<time> '],
  [/(Resource Version: +)\d+/g, '$1<version>'],
  [/zone-[01]\b/g, 'zone-<n>'],
  [/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g, '<certificate>'],
  [/(pod-template-hash[:=] ?"?)[a-z0-9]+/g, '$1<hash>'],
  [/((?:controller-revision-hash|controller\.kubernetes\.io\/hash)[:=] ?"?)[a-z0-9-]+/g, '$1<hash>'],
  [/\bnode-[01]\b/g, 'node-<n>'],
  [/\b(?:\d+d)?(?:\d+h)?(?:\d+m)?\d+s\b(?= ago)/g, '<age>'],
  [/ \(x\d+ over \w+\)/g, ''],
  [/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access'],
];

const ageCell = /(?<= |^)(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?(?= |\)|$)/;

/** Durations in the cells of tables: a word that is nothing but a duration. */
const plainAges = (line: string): string =>
  line
    .split(' ')
    .map((word) => (/\d/.test(word) && ageCell.exec(word)?.[0] === word && /[smhdy]$/.test(word) ? '<age>' : word))
    .join(' ');

/** Go walks maps in any order, and with them the faults of their values. */
function faultsSorted(lines: readonly string[]): readonly string[] {
  const result = [...lines];
  const isFault = (line: string | undefined): boolean => /^(?:\* |Warning: key | *\.\S+: )/.test(line ?? '');
  for (let start = 0; start < result.length; start++) {
    let end = start;
    while (isFault(result[end])) end++;
    if (end > start) result.splice(start, end - start, ...result.slice(start, end).sort());
    start = end;
  }
  return result;
}

/** A command's output without what no two runs have in common; columns are two blanks apart. Sorted where it has no order. */
export function plainText(output: string, namespace: string, isSorted = false): string {
  let text = output.replaceAll(namespace, 'NAMESPACE');
  for (const [pattern, replacement] of replacements) text = text.replace(pattern, replacement);
  // Scenes run side by side: what another one defines, or warns of, may be there or not.
  const own = text
    .replace(/^(stderr: )?.*\bkubectl-[a-z]+\.example\.com\b.*\n/gm, '$1')
    .replace(/^stderr: (?=exit )/m, '');
  const lines = own.split('\n').map((line) => plainAges(line.trimEnd()).replace(/(?<=\S)[ \t]{2,}/g, '  '));
  return faultsSorted(isSorted ? lines.toSorted() : lines).join('\n');
}
