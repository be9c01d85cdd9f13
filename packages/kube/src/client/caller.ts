import { CodedError } from '@tiphys/api';
import { openAuthenticator, type Authenticator } from './authenticate.ts';
import { openConnections, type Connections } from './connections.ts';
import { acceptedEncoding, unpacked } from './encoding.ts';
import { openDeadline, type Deadline } from './deadline.ts';
import { KubeError } from './error.ts';
import type { WireResponse } from './lane.ts';
import { openLimiter } from './limiter.ts';
import { errorOfLink, type CallName } from './status.ts';
import type { ClientPorts, ClientSettings, ClusterConfig, RawRequest } from './types.ts';
import { judgeAnswer, judgeThrown, type Verdict } from './verdict.ts';

/** A call as it goes out. */
export type Call = CallName &
  Pick<RawRequest, 'method' | 'path' | 'query' | 'headers' | 'body' | 'signal' | 'timeoutMs'> &
  Readonly<{
    /** A stream that stays open: the deadline holds for the head of the answer only. */
    long?: boolean | undefined;
    /** Statuses from 400 on that are an answer and no error. */
    accept?: ((status: number) => boolean) | undefined;
  }>;

/** Sends calls: limits, deadline, credentials, retries and errors are the same for all. */
export type Caller = Readonly<{
  /** Sends and lets `consume` read the answer; the deadline covers both. What `consume` throws is not tried again. */
  send: <T>(call: Call, consume: (response: WireResponse) => Promise<T>) => Promise<T>;
  /** Opens a stream; whoever takes it must read or destroy its body. */
  open: (call: Call) => Promise<WireResponse>;
  close: () => Promise<void>;
}>;

/** How often a call is sent at most. */
const maxAttempts = 6;

export function pathWithQuery({ path, query = {} }: Pick<Call, 'path' | 'query'>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  const text = search.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

/** Puts address, headers and credentials on a call and sends it. */
function openDispatch(
  config: ClusterConfig,
  settings: ClientSettings,
  { authenticator, connections }: Readonly<{ authenticator: Authenticator; connections: Connections }>,
): (call: Call, signal: AbortSignal) => Promise<WireResponse> {
  const basePath = new URL(config.server).pathname.replace(/\/$/, '');
  const isPacked = (call: Call): boolean => call.long !== true && config.disableCompression !== true;
  return async (call, signal) => {
    const response = await connections.send({
      method: call.method,
      path: basePath + pathWithQuery(call),
      headers: {
        accept: 'application/json',
        'user-agent': settings.userAgent,
        ...(isPacked(call) && acceptedEncoding),
        ...call.headers,
        ...(await authenticator.headers(signal)),
      },
      body: call.body ?? null,
      signal,
      long: call.long === true,
    });
    return unpacked(response);
  };
}

export function openCaller(config: ClusterConfig, settings: ClientSettings, ports: ClientPorts): Caller {
  const authenticator = openAuthenticator(config, settings, ports.clock);
  const limiter = openLimiter(settings, ports.clock);
  const connections = openConnections(config, { ...ports, identity: authenticator.identity }, settings.calls);
  const dispatch = openDispatch(config, settings, { authenticator, connections });

  async function attemptOnce<T>(
    call: Call,
    { signal, attempt }: { signal: AbortSignal; attempt: number },
    consume: (response: WireResponse) => Promise<T>,
  ): Promise<{ kind: 'value'; value: T } | Verdict> {
    const context = { config, settings, authenticator, now: ports.clock.now, call, attempt };
    let response: WireResponse;
    try {
      response = await dispatch(call, signal);
    } catch (error) {
      signal.throwIfAborted();
      return judgeThrown(error, context);
    }
    if (response.statusCode < 400 || call.accept?.(response.statusCode) === true)
      return { kind: 'value', value: await consume(response) };
    const verdict = await judgeAnswer(response, context);
    // A new client certificate needs a new handshake.
    if (verdict.kind === 'again' && response.statusCode === 401 && authenticator.renewsIdentity) connections.renew();
    return verdict;
  }

  async function withRetries<T>(
    call: Call,
    deadline: Deadline,
    consume: (response: WireResponse) => Promise<T>,
  ): Promise<T> {
    const { signal } = deadline;
    for (let attempt = 0; ; attempt += 1) {
      const release = await (call.long === true ? limiter.pace(signal) : limiter.acquire(signal));
      const outcome = await attemptOnce(call, { signal, attempt }, consume).finally(() => release?.());
      if (outcome.kind === 'value') return outcome.value;
      const { error } = outcome;
      // A wait that outlasts the deadline helps nobody: the error says how long the server asked for.
      if (outcome.kind === 'fail' || attempt + 1 >= maxAttempts || outcome.delayMs >= deadline.leftMs()) throw error;
      ports.log.debug('call to the API server is repeated', {
        call: call.what,
        delayMs: outcome.delayMs,
        code: error.code,
      });
      await ports.clock.sleep(outcome.delayMs, signal);
    }
  }

  async function guarded<T>(call: Call, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    const deadline = openDeadline(call, settings.timeoutMs);
    try {
      return await work(deadline);
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof CodedError) throw error;
      if (!deadline.signal.aborted) throw errorOfLink(error, config.server, call);
      const said = `${call.what}: ${config.server}: no answer within ${deadline.timeoutMs / 1000} s`;
      throw new KubeError('kube/timeout', said, { status: 0, reason: '', causes: [], cause: error });
    } finally {
      deadline.end();
    }
  }

  return {
    send: (call, consume) => guarded(call, (deadline) => withRetries(call, deadline, consume)),
    open: (call) => {
      const long = { ...call, long: true };
      return guarded(long, (deadline) => withRetries(long, deadline, (response) => Promise.resolve(response)));
    },
    close: connections.close,
  };
}
