import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Channels } from '../../trace/channels.ts';
import { TAKEN } from '../errors/error-handler.ts';
import { OTHER } from '../request-state.ts';

/** Which requests get a line. */
export interface RequestLogOptions {
  /** Requests that take longer are slow, in milliseconds. */
  readonly slowRequestMs: number;
  /** The share of requests that is logged, from 0 to 1, of those that are neither slow nor wrong; `null` when none is logged at all. */
  readonly rate: number | null;
  /** Told of each GraphQL request. */
  readonly channel: Channels['request'];
  /** The id of the distributed trace that a request belongs to; `null` for none. */
  readonly traceIdOf: (request: FastifyRequest) => string | null;
}

/** The status of a request whose client left before its answer began, as nginx has it. */
const CLIENT_LEFT = 499;

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the request log is done with it. */
    larderLogged: boolean;
  }
}

/**
 * Logs one line for a request that is done: what it was, how it ended and what it did. Of requests that went well, it may log only a share.
 * It reports each GraphQL request to the channel, too.
 *
 * A line has nothing that a client wrote. A query string may hold variables, and headers hold tokens and cookies. An operation is named
 * only when its document is trusted.
 */
export const requestLogPlugin = plugin<RequestLogOptions>(
  async (app, { slowRequestMs, rate, channel, traceIdOf }) => {
    // Fastify joins paths like this.
    const graphql = `${app.prefix.replace(/\/$/, '')}/graphql`;
    app.decorateRequest('larderLogged', false);
    const conclude = (request: FastifyRequest, reply: FastifyReply) => {
      if (request.larderLogged) return;
      request.larderLogged = true;
      const hungUp = hasLeft(request, reply);
      const route = request.routeOptions.url ?? 'none';
      const ms = reply.elapsedTime;
      const status = hungUp && !reply.raw.headersSent ? CLIENT_LEFT : reply.statusCode;
      const slow = !hungUp && ms > slowRequestMs;
      const isGraphQL = route === graphql && TAKEN.includes(request.method);
      if (isGraphQL) publish(channel, request, reply, status, ms);
      if (rate === null) return;
      const level = (status >= 500 && !hungUp) || slow ? 'warn' : 'info';
      const isFine = level === 'info' && status < 400 && request.larderErrors === null;
      if (!isLogged(app.log, level) || (isFine && Math.random() >= rate)) return;
      const line = {
        method: request.method,
        route,
        status,
        ms: round(ms),
        ...(hungUp ? { hungUp } : {}),
        ...(isGraphQL ? figures(request, slow, traceIdOf(request)) : {}),
      };
      request.log[level](line, slow ? 'slow request' : 'request');
    };
    // Node may call a response finished when its client left before the end, and may not.
    app.addHook('onRequest', (request, reply, done) => {
      reply.raw.on('close', () => conclude(request, reply));
      done();
    });
    app.addHook('onResponse', (request, reply, done) => {
      conclude(request, reply);
      done();
    });
  },
  { name: 'larder-request-log', fastify: '5.x', dependencies: ['larder-request-state'] },
);

/**
 * Whether the client left before its answer was complete. After that, a connection is not closed yet, but a stream of HTTP/2 is. One that its
 * client has closed is finished, too.
 */
function hasLeft({ raw: request }: FastifyRequest, { raw: response }: FastifyReply): boolean {
  if (request.httpVersionMajor === 1) return request.socket.destroyed;
  return request.aborted || !response.writableFinished;
}

function publish(
  channel: Channels['request'],
  { larderState: state, larderErrors: errorCodes }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  ms: number,
): void {
  if (!channel.hasSubscribers) return;
  channel.publish({
    operation: state?.operation ?? OTHER,
    status,
    ms,
    bytes: state?.bytes ?? Number(reply.getHeader('content-length') ?? 0),
    cost: state?.cost ?? null,
    errors: errorCodes === null ? [] : [...errorCodes],
    trace: state?.scope.trace ?? null,
  });
}

/** What a GraphQL request did, for its line. */
function figures(
  { larderState: state, larderErrors: errorCodes }: FastifyRequest,
  slow: boolean,
  traceId: string | null,
) {
  const trace = state?.scope.trace;
  let hits = 0;
  let misses = 0;
  for (const entity in trace?.cache) {
    hits += trace.cache[entity]?.hits ?? 0;
    misses += trace.cache[entity]?.misses ?? 0;
  }
  return {
    operation: state?.operation ?? OTHER,
    cost: state?.cost ?? null,
    statements: trace?.sql.statements ?? 0,
    commands: trace?.redis.commands ?? 0,
    hits,
    misses,
    ...(errorCodes === null ? {} : { errors: [...errorCodes] }),
    ...(traceId === null ? {} : { traceId }),
    ...(slow && trace ? { slowest: { statement: trace.slowest.name, ms: round(trace.slowest.ms) } } : {}),
  };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Whether lines of a level are written, as far as the logger tells; pino does. */
function isLogged(log: FastifyBaseLogger, level: 'info' | 'warn'): boolean {
  return !('isLevelEnabled' in log) || typeof log.isLevelEnabled !== 'function' || log.isLevelEnabled(level) === true;
}
