/** What a resource path asks for. */
export type ResourcePath = Readonly<{
  group: string;
  version: string;
  namespace: string;
  plural: string;
  /** Empty for the collection. */
  name: string;
  /** Empty for the object itself. */
  subresource: string;
  /** Under the deprecated `/watch/` paths every GET is a watch, of one object where one is named. */
  watched?: true;
}>;

/** Subresources of a namespace; any other segment after its name is a resource in it. */
const ofNamespace = new Set(['status', 'finalize']);

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

/** Takes `/api/v1/...` and `/apis/GROUP/VERSION/...` apart; undefined for every other path, and for a version alone. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
  const [root, ...rest] = segments;
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'api' ? '' : (rest.shift() ?? '');
  const version = rest.shift() ?? '';
  const watched = rest[0] === 'watch' && rest.length > 1;
  if (watched) rest.shift();
  const [first, second, third] = rest;
  if (first === undefined) return undefined;
  const inNamespace = first === 'namespaces' && second !== undefined && third !== undefined && !ofNamespace.has(third);
  const [plural = '', name = '', ...sub] = inNamespace ? rest.slice(2) : rest;
  const namespace = inNamespace ? second : '';
  return { group, version, namespace, plural, name, subresource: sub.join('/'), ...(watched && { watched }) };
}
