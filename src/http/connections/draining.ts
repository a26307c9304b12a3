import { Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import plugin from 'fastify-plugin';
import { type Clock, sleep, systemClock } from '../../clock.ts';
import { giveUp } from '../errors/error-handler.ts';
import { Connections } from './connections.ts';

/** How long nothing must have been asked for the clients to have gone elsewhere, in milliseconds. */
const QUIET_MS = 500;

/** How many turns of the event loop are waited for one in which nothing comes. */
const MAX_TURNS = 1000;

/** More connections than this need not wait for requests: a proxy in front keeps some hundreds. */
const MAX_IDLE = 10_000;

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is about to stop. */
    readonly draining: () => boolean;
    /** Whether the client of a connection still sends a request that it has the answer to. */
    readonly isAnswered: (socket: Socket) => boolean;
    /**
     * Lets clients and proxies go elsewhere without losing a request. For `delayMs` all goes on as before, but `draining` is true, for
     * proxies that look at `/readyz`. Then the port is closed, and each connection is told with its next answer that it is the last.
     * At last the connections are closed on which nothing has been asked for a while.
     *
     * @param delayMs how long proxies have to look, in milliseconds
     * @param atMostMs how long clients then have to ask once more, in milliseconds
     * @returns when no connection is open any more on which nothing is asked
     */
    readonly drain: (delayMs: number, atMostMs: number) => Promise<void>;
  }
}

/** What lets a server stop, and bounds its connections. */
export interface DrainingOptions {
  /** The time; the machine's when it is not given. */
  readonly clock?: Clock;
  /** How long a connection stays open on which nothing is asked, in milliseconds. 75,000 when it is not given. */
  readonly keepAliveMs?: number;
  /** How long a request may take to come in, in milliseconds. 10,000 when it is not given. */
  readonly requestTimeoutMs?: number;
  /** How many connections may wait for requests. 10,000 when it is not given. */
  readonly maxIdle?: number;
}

/** Lets a server stop without losing a request. */
export const drainingPlugin = plugin<DrainingOptions>(
  async (app, { clock = systemClock, keepAliveMs = 75_000, requestTimeoutMs = 10_000, maxIdle = MAX_IDLE }) => {
    const connections = new Connections(app.server, clock, { keepAliveMs, requestTimeoutMs, maxIdle }, giveUp);
    let draining = false;
    /** Ends when everything that had come by then has been taken: what the kernel holds of a connection that is closed is lost. */
    const quietTurn = async () => {
      for (let turn = 0; turn < MAX_TURNS; turn += 1) {
        const before = connections.events;
        await nextTurn();
        await nextTurn();
        if (connections.events === before) return;
      }
    };
    const quiet = async (atMostMs: number) => {
      const end = clock.now() + atMostMs;
      for (;;) {
        const now = clock.now();
        const wait = Math.min(connections.lastRequest + QUIET_MS, end) - now;
        if (wait <= 0) return;
        await sleep(clock, wait);
      }
    };
    app.decorate('draining', () => draining);
    app.decorate('isAnswered', (socket: Socket) => connections.isAnswered(socket));
    app.decorate('drain', async (delayMs: number, atMostMs: number) => {
      draining = true;
      await sleep(clock, delayMs);
      await quietTurn();
      // An HTTP server would close its idle connections with its port.
      Server.prototype.close.call(app.server);
      connections.announceLast();
      await Promise.race([connections.empty(), quiet(atMostMs)]);
      await quietTurn();
      connections.closeIdle();
    });
    app.addHook('preClose', async () => {
      draining = true;
      connections.announceLast();
      connections.closeIdle();
    });
  },
  { name: 'larder-draining', fastify: '5.x' },
);
