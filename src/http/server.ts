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

/** What only the owner of a server decides. */
export interface ServerOptions {
  /** The log, such as pino's; none when it is not given. */
  readonly logger?: FastifyBaseLogger;
  /** The addresses of proxies whose word on a client's address is taken; none when it is not given. */
  readonly trustProxy?: readonly string[];
  /** How long a connection stays open on which nothing is asked, in milliseconds. 75,000 when it is not given. */
  readonly keepAliveTimeoutMs?: number;
  /** How long a request may take to come in, in milliseconds. 10,000 when it is not given. */
  readonly requestTimeoutMs?: number;
  /** How long a body may be, in bytes. 1,048,576 when it is not given. */
  readonly bodyBytes?: number;
  /** The origins whose pages may read what is said of a URL that cannot be read; none when it is not given. */
  readonly corsOrigins?: readonly string[] | null;
}

/** How long a connection may wait for a request, and a request may take to come in, unless it is said, in milliseconds. */
const KEEP_ALIVE_MS = 75_000;
const REQUEST_MS = 10_000;

/**
 * What to make a server with, `fastify({ ...serverOptions(), … })`: bounds for connections and for slow clients, answers in JSON for what is
 * not HTTP, and no lines of the log with URLs, which may hold variables.
 *
 * @param options what is decided
 * @returns options for `fastify`
 * @throws {WrongValue} for a proxy that could be anybody
 * @throws {RangeError} for a time that cannot be meant
 */
export function serverOptions(options: ServerOptions = {}): FastifyHttpOptions<Server> {
  const { logger, trustProxy = [], bodyBytes, corsOrigins } = options;
  const { requestTimeoutMs = REQUEST_MS, keepAliveTimeoutMs = KEEP_ALIVE_MS } = options;
  expectWhole('requestTimeoutMs', requestTimeoutMs, MILLISECONDS);
  expectWhole('keepAliveTimeoutMs', keepAliveTimeoutMs, MILLISECONDS);
  const allow = allowPages(corsOrigins ?? []);
  return {
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    // A line of our own (request-log.ts): a URL may hold variables.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    forceCloseConnections: 'idle',
    // What has been read is answered, also while the server stops.
    return503OnClosing: false,
    ...(bodyBytes === undefined ? {} : { bodyLimit: bodyBytes }),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    // Node looks every half minute unless told otherwise, and until then a slow client may stay.
    http: { headersTimeout: requestTimeoutMs, connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10) },
    // A client that stops reading its answer holds it in our memory.
    connectionTimeout: requestTimeoutMs * 2,
    frameworkErrors: (_error, request, reply) => {
      allow(request, reply);
      answerBadUrl(reply);
    },
    clientErrorHandler: answerBadConnection,
    trustProxy: trustProxy.length === 0 ? false : trustProxy.map(parseTrustedProxy),
    // What a client did not write as a number is not taken for one.
    ajv: { customOptions: { coerceTypes: false } },
  };
}

/** What `createServer` is told: what the plugin is, and what only the owner of a server decides. */
export type CreateServerOptions = Omit<LarderFastifyOptions, 'prefix'> &
  Pick<ServerOptions, 'logger' | 'trustProxy' | 'keepAliveTimeoutMs'>;

/**
 * Makes a server that is Larder's alone: what `larderFastify` serves, with bounds for its connections, `app.drain`, and answers in JSON for
 * all that there is no route for. Routes may be added to it. The caller listens, and closes.
 *
 * @param given what to serve and how
 * @returns the server, not listening yet
 * @throws {WrongValue} naming each option that cannot be meant
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
