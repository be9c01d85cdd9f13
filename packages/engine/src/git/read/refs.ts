import { highestVersion, isVersionRange, parseVersionRange } from '@tiphys/language';

/** What a remote says it has: commits by full ref name (annotated tags already followed to their commit). */
export type Refs = Readonly<{
  commits: ReadonlyMap<string, string>;
  /** The commit of HEAD, and the branch it stands for when the remote says so. */
  head: Readonly<{ commit: string; ref?: string }> | undefined;
}>;

/** Reads the answer of `git ls-remote --symref`. */
export function parseRefs(text: string): Refs {
  const commits = new Map<string, string>();
  let head: string | undefined;
  let headRef: string | undefined;
  for (const line of text.split('\n')) {
    const [what = '', name = ''] = line.split('\t');
    if (name === '') continue;
    if (what.startsWith('ref: ')) {
      if (name === 'HEAD') headRef = what.slice('ref: '.length);
    } else if (name === 'HEAD') head = what;
    else if (name.endsWith('^{}')) commits.set(name.slice(0, -'^{}'.length), what);
    else commits.set(name, what);
  }
  if (head === undefined) return { commits, head: undefined };
  return { commits, head: { commit: head, ...(headRef !== undefined && { ref: headRef }) } };
}

/** A revision that refs answer. */
export type NamedCommit = Readonly<{ commit: string; ref?: string }>;

const tagPrefixOf = 'refs/tags/';

const branchOrTag = (refs: Refs, name: string): NamedCommit | undefined => {
  for (const ref of [`refs/heads/${name}`, `${tagPrefixOf}${name}`, name]) {
    const commit = refs.commits.get(ref);
    if (commit !== undefined) return { commit, ref };
  }
  return undefined;
};

/**
 * The commit of HEAD, a branch, a tag, a full ref name or a version range over tags; undefined when no ref answers (a SHA, or unknown).
 * A ref wins over a SHA that reads the same, and a branch over a tag.
 * @param wanted.tagPrefix a range looks only at tags that begin with it, at what follows it
 */
export function resolveInRefs(
  refs: Refs,
  wanted: { revision: string; tagPrefix?: string | undefined },
): NamedCommit | undefined {
  const { revision, tagPrefix = '' } = wanted;
  if (revision === '' || revision === 'HEAD') return refs.head;
  const named = branchOrTag(refs, revision);
  if (named !== undefined || !isVersionRange(revision)) return named;
  const begin = `${tagPrefixOf}${tagPrefix}`;
  const versions = [...refs.commits.keys()]
    .filter((ref) => ref.startsWith(begin))
    .map((ref) => ref.slice(begin.length));
  const highest = highestVersion(parseVersionRange(revision), versions);
  return highest === undefined ? undefined : branchOrTag(refs, `${begin}${highest}`.slice(tagPrefixOf.length));
}

/** Names of the tags that stand for a commit, sorted. */
export const tagsOf = (refs: Refs, commit: string): readonly string[] =>
  [...refs.commits]
    .filter(([ref, target]) => target === commit && ref.startsWith(tagPrefixOf))
    .map(([ref]) => ref.slice(tagPrefixOf.length))
    .sort();
