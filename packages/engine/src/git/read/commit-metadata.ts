/** What a commit says about itself. */
export type CommitMetadata = Readonly<{
  /** `Name <address>`. */
  author: string;
  /** When it was committed. */
  date: Date;
  message: string;
  tags: readonly string[];
}>;

const person = /^(?<name>.*<[^>]*>) (?<seconds>-?\d+) [+-]\d{4}$/;

/** Reads a commit object. */
export function parseCommit(content: string): Omit<CommitMetadata, 'tags'> {
  const [headers = '', ...message] = content.split('\n\n');
  const line = (name: string): string =>
    headers
      .split('\n')
      .find((header) => header.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? '';
  const seconds = Number(person.exec(line('committer'))?.groups?.['seconds'] ?? 0);
  return {
    author: person.exec(line('author'))?.groups?.['name'] ?? '',
    date: new Date(seconds * 1000),
    message: message.join('\n\n').trim(),
  };
}
