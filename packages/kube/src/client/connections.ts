import { dial } from './dial.ts';
import { openHttp1Lane } from './http1-lane.ts';
import {
  clientClosed,
  type ConnectionPorts,
  type Dialled,
  type Lane,
  type WireRequest,
  type WireResponse,
} from './lane.ts';
import type { ClientSettings, ClusterConfig } from './types.ts';

const connectTimeoutMs = 10_000;

/** All connections to one API server. */
export type Connections = Lane;

const never = new AbortController().signal;

/** The lane in the version of HTTP that the first handshake agrees on. */
function openNegotiated(config: ClusterConfig, ports: ConnectionPorts, dialAs: Dialled['dialAs']): Lane {
  let lane: Promise<Lane> | undefined;

  // Each group is a header line of its own; undici joins equal lines with commas over HTTP/2.
  const manyGroups = (config.impersonate?.groups?.length ?? 0) > 1;

  const negotiate = async (): Promise<Lane> => {
    // Read while the handshake is under way: it is the larger part of what a first call costs here.
    const http2 = manyGroups ? undefined : import('./http2-lane.ts');
    const first = await dialAs(manyGroups ? ['http/1.1'] : ['h2', 'http/1.1']);
    // Nobody else listens until the lane is there; who uses the connection notices that it is gone.
    first.socket.on('error', () => undefined);
    const forget = (): void => {
      lane = undefined;
    };
    const dialled = { config, ports, first: first.socket, dialAs };
    if (http2 === undefined || first.protocol !== 'h2') return openHttp1Lane(dialled);
    return (await http2).openHttp2Lane(dialled, forget);
  };

  const laneNow = (): Promise<Lane> => {
    if (lane === undefined) {
      const opening = negotiate();
      lane = opening;
      // A failed handshake is tried anew by the next call.
      opening.catch(() => {
        if (lane === opening) lane = undefined;
      });
    }
    return lane;
  };

  return {
    send: async (request) => (await laneNow()).send(request),
    renew: () => void lane?.then((open) => open.renew()).catch(() => undefined),
    close: async () => {
      await lane?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
  };
}

/** Sends on a lane, and says for how many calls it is not over. */
function counting(lane: Lane): Lane & { readonly underWay: () => number } {
  let underWay = 0;
  const send = async (request: WireRequest): Promise<WireResponse> => {
    underWay += 1;
    let over = false;
    const end = (): void => {
      if (!over) underWay -= 1;
      over = true;
    };
    try {
      const response = await lane.send(request);
      for (const event of ['end', 'error', 'close']) response.body.once(event, end);
      return response;
    } catch (error) {
      end();
      throw error;
    }
  };
  return { ...lane, send, underWay: () => underWay };
}

/**
 * The connections to one API server: one HTTP/2 connection for calls and the first 60 watches, another for each further 60;
 * HTTP/1.1 with keep-alive where the server offers no more. What it speaks is learnt from the first handshake.
 *
 * Where few calls are expected, one that is alone goes over HTTP/1.1: that connection is cheaper to open, and a long answer comes
 * faster without frames and windows. Calls beside it and streams that stay open share the others.
 */
export function openConnections(
  config: ClusterConfig,
  ports: ConnectionPorts,
  calls: ClientSettings['calls'],
): Connections {
  let closed = false;
  const dialAs: Dialled['dialAs'] = async (protocols) =>
    dial(config, { protocols, identity: await ports.identity(never), timeoutMs: connectTimeoutMs });
  const shared = openNegotiated(config, ports, dialAs);
  const alone = calls === 'few' ? counting(openHttp1Lane({ config, first: undefined, dialAs })) : undefined;
  return {
    send: async (request) => {
      if (closed) throw clientClosed();
      return alone?.underWay() === 0 && !request.long ? alone.send(request) : shared.send(request);
    },
    renew: () => {
      alone?.renew();
      shared.renew();
    },
    close: async () => {
      closed = true;
      await Promise.all([alone?.close(), shared.close()]);
    },
  };
}
