import pressure from '@fastify/under-pressure';
import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import { RETRY_AFTER_SECONDS, unavailable } from '../errors/send-error.ts';
import { checkRequestType } from '../media-type.ts';
import { securityHeaders } from './security-headers.ts';
import { checkSite } from './site-check.ts';

/** Browsers heed these on pages and on what belongs to pages, not on data. */
const FOR_PAGES_ONLY = {
  crossOriginOpenerPolicy: false,
  dnsPrefetchControl: false,
  ieNoOpen: false,
  originAgentCluster: false,
  permittedCrossDomainPolicies: false,
  xssFilter: false,
} as const;

/** Who is let in, and when. */
export interface DoorOptions {
  /** The origins whose pages may read responses; `null` where others look after pages of other sites. */
  readonly corsOrigins: readonly string[] | null;
  /** Whether to tell browsers that the whole host speaks TLS alone. */
  readonly ownsHost: boolean;
  /** Whether answers may be compressed. */
  readonly compression: boolean;
  /** How long the event loop may lag before requests are turned away, in milliseconds. */
  readonly maxEventLoopDelayMs: number;
}

/**
 * Guards the routes of an instance: overload, pages of other sites, and what browsers make of responses.
 *
 * @param app the instance
 * @param options who is let in
 * @returns a hook for each route that takes GraphQL
 */
export async function guardDoor(app: FastifyInstance, options: DoorOptions): Promise<onRequestHookHandler> {
  const { corsOrigins } = options;
  const headers = {
    ...(await securityHeaders({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } },
      ...FOR_PAGES_ONLY,
      ...(options.ownsHost ? {} : { strictTransportSecurity: false }),
    })),
    vary: [
      'accept',
      ...(options.compression ? ['accept-encoding'] : []),
      'authorization',
      ...((corsOrigins ?? []).length > 0 ? ['origin'] : []),
    ].join(', '),
    'cache-control': 'no-store',
  };
  app.addHook('onRequest', (_request, reply, done) => {
    // A plugin of theirs may have said what its headers depend on.
    const theirs = reply.getHeader('vary');
    reply.headers(theirs === undefined ? headers : { ...headers, vary: `${theirs}, ${headers.vary}` });
    done();
  });
  // Whoever has it already says themselves when that is.
  const { maxEventLoopDelayMs: maxEventLoopDelay } = options;
  if (!app.hasDecorator('isUnderPressure'))
    await app.register(pressure, {
      maxEventLoopDelay,
      retryAfter: RETRY_AFTER_SECONDS,
      pressureHandler: () => {
        throw unavailable('The service is too busy. Try again.');
      },
    });
  return (request, _reply, done) => {
    if (request.method === 'POST') checkRequestType(request);
    if (corsOrigins !== null) checkSite(request, corsOrigins);
    done();
  };
}
