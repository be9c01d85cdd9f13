import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay before a server, which can swallow everything without telling anybody: a dropped route, a dead load balancer. */
export class LossyLink implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #frozen = new Set<Socket>();
  port = 0;

  constructor(target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (chunk) => {
          if (!this.#frozen.has(from)) to.write(chunk);
        });
        from.on('error', () => undefined);
        from.once('close', () => {
          this.#sockets.delete(from);
          if (!this.#frozen.has(from)) to.destroy();
        });
      }
    });
  }

  static async before(url: string): Promise<LossyLink> {
    const link = new LossyLink(Number(new URL(url).port));
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    const address = link.#server.address();
    link.port = typeof address === 'object' && address !== null ? address.port : 0;
    return link;
  }

  /** The connections there are go silent for ever; new ones work. */
  freeze(): void {
    this.#frozen = new Set(this.#sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
