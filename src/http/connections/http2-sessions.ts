import { Server } from 'node:http';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** The open sessions of a server that speaks HTTP/2; none of any other. Node and Fastify limit them. Here, they only learn that it stops. */
export class Http2Sessions {
  readonly #open = new Set<Http2Session>();
  #ending = false;

  /**
   * @param server the server, which need not listen yet
   * @param onClosed told when one has closed
   */
  constructor(server: Server, onClosed: () => void) {
    server.on('session', (session: Http2Session) => {
      this.#open.add(session);
      session.once('close', () => {
        this.#open.delete(session);
        onClosed();
      });
      if (this.#ending) session.close();
    });
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends each in order, now and later: what was asked on it is answered, and whoever asks more is told to ask elsewhere. */
  end(): void {
    this.#ending = true;
    for (const session of this.#open) session.close();
  }
}

/**
 * @param server a server
 * @param socket one of its connections
 * @returns whether HTTP/2 is spoken on it: with TLS the client chooses, and in clear a server speaks one or the other
 */
export function speaksHttp2(server: Server, socket: Socket): boolean {
  return socket instanceof TLSSocket ? socket.alpnProtocol === 'h2' : !(server instanceof Server);
}
