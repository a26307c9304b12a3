import type { Server } from 'node:http';
import { type FastifyBaseLogger, type FastifyHttpOptions, type FastifyInstance, fastify, LogController } from 'fastify';
import { expectWhole, MILLISECONDS } from '../number-range.ts';
import { drainingPlugin } from './connections/draining.ts';
import { answerBadConnection, answerBadUrl, notFoundPlugin } from './errors/error-handler.ts';
import { allowPages } from './guards/cors.ts';
import { parseTrustedProxy } from './guards/trusted-proxy.ts';
import type { LarderFastifyOptions, ServedLarder } from './options.ts';
import { requestIdOf } from './request-id.ts';
import { serveOn } from './serve.ts';
import { settle } from './settle.ts';
import { metricsOf } from './telemetry/metrics-of.ts';

/** Settings that only the owner of a server decides. */
export interface ServerOptions {
  /** The log, such as pino's; none when it is left out. */
  readonly logger?: FastifyBaseLogger;
  /** The addresses of proxies that are trusted to name a client's address; none when it is left out. */
  readonly trustProxy?: readonly string[];
  /** How long an idle connection stays open, in milliseconds; 75,000 when it is left out. */
  readonly keepAliveTimeoutMs?: number;
  /** How long a request may take to come in, in milliseconds; 10,000 when it is left out. */
  readonly requestTimeoutMs?: number;
  /** The longest body, in bytes; 1,048,576 when it is left out. */
  readonly bodyBytes?: number;
  /** The origins whose pages may read the answer to a URL that cannot be read; none when it is left out. */
  readonly corsOrigins?: readonly string[] | null;
}

/** The defaults: how long a connection may wait for a request, and a request may take to come in, in milliseconds. */
const KEEP_ALIVE_MS = 75_000;
const REQUEST_MS = 10_000;

/**
 * Makes the options of a server, `fastify({ ...serverOptions(), … })`. They limit connections and slow clients, and answer in JSON what is
 * not HTTP. They turn off Fastify's lines of log with URLs, which may hold variables.
 *
 * @param options the settings
 * @returns options for `fastify`
 * @throws {WrongValue} for a proxy that could be anybody
 * @throws {RangeError} for an impossible time
 */
export function serverOptions(options: ServerOptions = {}): FastifyHttpOptions<Server> {
  const { logger, trustProxy = [], bodyBytes, corsOrigins } = options;
  const { requestTimeoutMs = REQUEST_MS, keepAliveTimeoutMs = KEEP_ALIVE_MS } = options;
  expectWhole('requestTimeoutMs', requestTimeoutMs, MILLISECONDS);
  expectWhole('keepAliveTimeoutMs', keepAliveTimeoutMs, MILLISECONDS);
  const allow = allowPages(corsOrigins ?? []);
  return {
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    // Larder logs a line of its own (request-log.ts), since a URL may hold variables.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    forceCloseConnections: 'idle',
    // A request that was received is answered, even while the server stops.
    return503OnClosing: false,
    ...(bodyBytes === undefined ? {} : { bodyLimit: bodyBytes }),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    // Node looks every half minute by default, and a slow client could stay until then.
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10) },
    // A client that stops reading its answer keeps the answer in memory.
    connectionTimeout: requestTimeoutMs * 2,
    frameworkErrors: (_error, request, reply) => {
      allow(request, reply);
      answerBadUrl(reply);
    },
    clientErrorHandler: answerBadConnection,
    trustProxy: trustProxy.length === 0 ? false : trustProxy.map(parseTrustedProxy),
    // A value that the client did not write as a number is not coerced to one.
    ajv: { customOptions: { coerceTypes: false } },
  };
}

/** What `createServer` is told: the plugin's options, and the settings of a server's owner. */
export type CreateServerOptions = Omit<LarderFastifyOptions, 'prefix'> &
  Pick<ServerOptions, 'logger' | 'trustProxy' | 'keepAliveTimeoutMs'>;

/**
 * Makes a server that is Larder's alone. It serves what `larderFastify` does, limits its connections, has `app.drain`, and answers in JSON
 * where there is no route. Routes may be added to it. The caller listens, and closes.
 *
 * @param given what to serve, and how
 * @returns the server, not listening yet
 * @throws {WrongValue} naming each wrong option
 */
export async function createServer(given: CreateServerOptions): Promise<FastifyInstance> {
  const { logger, trustProxy, keepAliveTimeoutMs = KEEP_ALIVE_MS, ...rest } = given;
  const options = settle(rest);
  const { corsOrigins, clock, limits } = options;
  const { requestTimeoutMs, bodyBytes } = limits;
  const server = { trustProxy: trustProxy ?? [], keepAliveTimeoutMs, requestTimeoutMs, bodyBytes, corsOrigins };
  const app = fastify(serverOptions({ ...server, ...(logger === undefined ? {} : { logger }) }));
  try {
    await serveOn(app, options, true);
    await app.register(notFoundPlugin);
    await app.register(drainingPlugin, { clock, keepAliveMs: keepAliveTimeoutMs, requestTimeoutMs });
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/**
 * Makes a server of its own for `/metrics`, so that the public port never has it. The caller listens, and closes.
 *
 * @param larder the Larder
 * @returns the server, not listening yet
 */
export async function metricsServer(larder: ServedLarder): Promise<FastifyInstance> {
  const { createMetricsApp } = await import('./telemetry/metrics.ts');
  return createMetricsApp(metricsOf(larder));
}
