import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import plugin from 'fastify-plugin';

/** How long clients get to hear that the server stops before connections are closed on which nothing is asked. */
const DRAIN_MS = 500;

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is about to stop. */
    readonly draining: () => boolean;
    /**
     * Tells clients with each answer that their connection is about to close, and goes on answering meanwhile: a client
     * that asks on a connection while the server closes it could not know whether it was heard.
     *
     * @returns when no connection is open any more, at the latest after half a second
     */
    readonly drain: () => Promise<void>;
  }
}

/** Lets a server stop without losing a request. */
export const drainingPlugin = plugin(
  async (app) => {
    // Each connection with the answer that was last begun on it, if that is under way. A set of all answers under way would keep them:
    // once a table of a set or map has grown old, V8 keeps every table that takes its place, and what is in it, until the next full
    // collection. That made a quarter of the CPU time of an entity by id, and pauses of 10 ms.
    const open = new Map<Socket, ServerResponse | null>();
    let draining = false;
    let closing = false;
    let emptied = () => {};
    app.server.on('connection', (socket: Socket) => {
      open.set(socket, null);
      socket.once('close', () => {
        open.delete(socket);
        if (open.size === 0) emptied();
      });
    });
    app.server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      if (draining) {
        // Where several were asked at once, the last answer closes the connection.
        const before = open.get(socket);
        if (before?.headersSent === false) before.shouldKeepAlive = true;
        response.shouldKeepAlive = false;
      }
      open.set(socket, response);
      response.on('close', () => {
        if (open.get(socket) !== response) return;
        open.set(socket, null);
        // It may have been written before anybody knew that it would be the last.
        if (closing) socket.destroySoon();
      });
    });
    app.decorate('draining', () => draining);
    app.decorate('drain', async () => {
      draining = true;
      for (const response of open.values()) if (response !== null) response.shouldKeepAlive = false;
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, DRAIN_MS);
        emptied = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    });
    app.addHook('preClose', async () => {
      draining = true;
      closing = true;
    });
  },
  { name: 'larder-draining', fastify: '5.x' },
);
