import cors from '@fastify/cors';
import pressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkRequestType } from './media-type.ts';
import { securityHeaders } from './security-headers.ts';
import { RETRY_AFTER_SECONDS, unavailable } from './send-error.ts';
import { checkSite } from './site-check.ts';

/** Who is let in, and when. */
export interface DoorOptions {
  /** The origins whose pages may read responses. */
  readonly corsOrigins: readonly string[];
  /** How long the event loop may lag before requests are turned away, in milliseconds. */
  readonly maxEventLoopDelayMs: number;
}

/** Looks at a request before its body is read. */
type OnRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Guards the routes of an instance: overload, pages of other sites, and what browsers make of responses.
 *
 * @param app the instance
 * @param options who is let in
 * @returns a hook for each route that takes GraphQL
 */
export async function guardDoor(app: FastifyInstance, options: DoorOptions): Promise<OnRequest> {
  const { corsOrigins } = options;
  const headers = await securityHeaders({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } },
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
  await app.register(pressure, {
    maxEventLoopDelay: options.maxEventLoopDelayMs,
    retryAfter: RETRY_AFTER_SECONDS,
    pressureHandler: () => {
      throw unavailable('The service is too busy. Try again.');
    },
  });
  if (corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...corsOrigins],
      methods: ['GET', 'POST'],
      exposedHeaders: ['retry-after', 'www-authenticate'],
      strictPreflight: false,
    });
  }
  return async (request, reply) => {
    // Whoever allowed an origin has said so there already.
    const vary = [reply.getHeader('vary') ?? [], 'accept', 'authorization'].flat().join(', ');
    reply.headers({ vary, 'cache-control': 'no-store' });
    if (request.method === 'POST') checkRequestType(request);
    checkSite(request, corsOrigins);
  };
}
