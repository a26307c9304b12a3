import type { ServerResponse } from 'node:http';
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
    const open = new Set<Socket>();
    const underWay = new Set<ServerResponse>();
    let draining = false;
    let emptied = () => {};
    app.server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        if (open.size === 0) emptied();
      });
    });
    app.server.prependListener('request', (_request, response: ServerResponse) => {
      if (draining) response.shouldKeepAlive = false;
      underWay.add(response);
      response.once('close', () => underWay.delete(response));
    });
    app.decorate('draining', () => draining);
    app.decorate('drain', async () => {
      draining = true;
      for (const response of underWay) response.shouldKeepAlive = false;
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
    });
  },
  { name: 'larder-draining', fastify: '5.x' },
);
