import { notAcceptable } from '../refusal.ts';

/** In which shape objects are to be answered. */
export type Shape = 'object' | 'table' | 'partial';

export type Accepted = Readonly<{ shape: Shape; yaml: boolean }>;

type MediaRange = Readonly<{ type: string; parameters: ReadonlyMap<string, string> }>;

function parseRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const pairs = parameters.map((parameter) => parameter.split('=', 2));
  return { type: type.toLowerCase(), parameters: new Map(pairs.map(([key = '', value = '']) => [key, value])) };
}

const weight = ({ parameters }: MediaRange): number => Number(parameters.get('q') ?? '1');

/** The media ranges of an Accept header, the most wanted first, else in the order in which they are written. */
export const parseAccept = (accept: string): readonly MediaRange[] =>
  accept
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseRange)
    .sort((a, b) => weight(b) - weight(a));

const wildcards = new Set(['*/*', 'application/*']);

function accepted({ type, parameters }: MediaRange): Accepted | undefined {
  const isJson = type === 'application/json' || wildcards.has(type);
  const isYaml = type === 'application/yaml';
  if (!isJson && !isYaml) return undefined;
  const as = parameters.get('as');
  if (as === undefined) return { shape: 'object', yaml: isYaml };
  if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') return undefined;
  if (as === 'Table') return { shape: 'table', yaml: isYaml };
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { shape: 'partial', yaml: isYaml };
  return undefined;
}

/**
 * The first thing that a client accepts and this server has. Protobuf is not served: clients fall back to JSON.
 * @throws Refusal 406
 */
export function negotiate(accept: string): Accepted {
  if (accept.trim() === '') return { shape: 'object', yaml: false };
  for (const range of parseAccept(accept)) {
    const found = accepted(range);
    if (found !== undefined) return found;
  }
  throw notAcceptable();
}
