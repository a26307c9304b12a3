import { Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import plugin from 'fastify-plugin';
import { type Clock, sleep, systemClock } from '../../clock.ts';
import { giveUp } from '../errors/error-handler.ts';
import { Connections } from './connections.ts';

/** How long no request must come before clients count as gone, in milliseconds. */
const QUIET_MS = 500;

/** The most turns of the event loop to wait for a quiet one. */
const MAX_TURNS = 1000;

/** The most connections that wait for requests. A proxy in front keeps some hundreds. */
const MAX_IDLE = 10_000;

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is about to stop. */
    readonly draining: () => boolean;
    /** Whether the client of a connection still sends a request that was answered already. */
    readonly isAnswered: (socket: Socket) => boolean;
    /**
     * Makes clients and proxies go elsewhere without losing a request. For `delayMs` everything goes on, but `draining` is true, for
     * proxies that ask `/readyz`. Then the port is closed, and each connection learns with its next response that it is the last. Finally,
     * idle connections are closed.
     *
     * @param delayMs how long proxies have to notice, in milliseconds
     * @param atMostMs how long clients then have for one more request, in milliseconds
     * @returns settles when no idle connection is open any more
     */
    readonly drain: (delayMs: number, atMostMs: number) => Promise<void>;
  }
}

/** How a server stops, and how its connections are limited. */
export interface DrainingOptions {
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
  /** How long an idle connection stays open, in milliseconds; 75,000 when it is left out. */
  readonly keepAliveMs?: number;
  /** How long a request may take to come in, in milliseconds; 10,000 when it is left out. */
  readonly requestTimeoutMs?: number;
  /** How many connections may wait for requests; 10,000 when it is left out. */
  readonly maxIdle?: number;
}

/** Lets a server stop without losing a request. */
export const drainingPlugin = plugin<DrainingOptions>(
  async (app, { clock = systemClock, keepAliveMs = 75_000, requestTimeoutMs = 10_000, maxIdle = MAX_IDLE }) => {
    const connections = new Connections(app.server, clock, { keepAliveMs, requestTimeoutMs, maxIdle }, giveUp);
    let draining = false;
    /** Waits until everything that has arrived was read. Closing a connection loses what the kernel still holds of it. */
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
      // An HTTP server's own `close` would close its idle connections, too.
      Server.prototype.close.call(app.server);
      connections.announceLast();
      await Promise.race([connections.empty(), quiet(atMostMs)]);
      await quietTurn();
      connections.closeIdle();
    });
    app.addHook('onListen', async () => {
      // For each further address of a name, Fastify makes a server of its own, which nothing else can reach.
      if (app.addresses().length > 1) {
        app.log.warn(
          "app.drain knows the first of these addresses alone: listen with host '127.0.0.1' or '::', or requests to the others are lost when the server stops",
        );
      }
    });
    app.addHook('preClose', async () => {
      draining = true;
      connections.announceLast();
      connections.closeIdle();
    });
  },
  { name: 'larder-draining', fastify: '5.x' },
);
