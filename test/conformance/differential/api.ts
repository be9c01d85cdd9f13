import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { parseJson, stringifyJson } from '@tiphys/api';

/** One of the two servers. */
export type Server = Readonly<{ name: string; url: string; token: string; caPem: string }>;

/** A request to both servers. */
export type Call = Readonly<{
  method: string;
  path: string;
  contentType?: string;
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  text?: string;
  accept?: string;
  headers?: Readonly<Record<string, string>>;
}>;

export type Answer = Readonly<{ code: number; body: unknown; headers: IncomingHttpHeaders }>;

export type Client = Readonly<{ call: (call: Call) => Promise<Answer>; close: () => void }>;

const limitMs = 20_000;

/** Plain HTTPS: nothing of the product stands between the test and the servers. */
export function connect({ url, token, caPem }: Server): Client {
  // Watches that end by themselves run beside the requests of a sequence.
  const agent = new Agent({ ca: caPem, keepAlive: true, maxSockets: 60 });
  const call = ({ method, path, contentType, body, text: raw, accept, headers }: Call): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const text = raw ?? (body === undefined ? undefined : stringifyJson(body));
      const outgoing = request(
        `${url}${path}`,
        {
          method,
          agent,
          signal: AbortSignal.timeout(limitMs),
          headers: {
            authorization: `Bearer ${token}`,
            accept: accept ?? 'application/json',
            ...(text !== undefined && {
              'content-type': contentType ?? 'application/json',
              // Of itself Node announces no body for DELETE.
              'content-length': Buffer.byteLength(text),
            }),
            ...headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const answer = Buffer.concat(chunks).toString('utf8');
            const isJson = /json/.test(incoming.headers['content-type'] ?? '');
            const lines = answer.trimEnd().split('\n');
            const isStream = isJson && /[?&]watch=/.test(path) && incoming.statusCode === 200;
            const read = (): unknown =>
              isStream
                ? lines.filter((line) => line !== '').map((line) => parseJson(line, path))
                : parseJson(answer, path);
            resolve({ code: incoming.statusCode ?? 0, body: isJson ? read() : answer, headers: incoming.headers });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  return { call, close: () => agent.destroy() };
}
