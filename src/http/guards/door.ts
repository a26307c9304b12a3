import pressure from '@fastify/under-pressure';
import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import { RETRY_AFTER_SECONDS, unavailable } from '../errors/send-error.ts';
import { checkRequestType } from '../media-type.ts';
import { POSITION_HEADER } from '../position-header.ts';
import { securityHeaders } from './security-headers.ts';
import { checkSite } from './site-check.ts';

/** Browsers apply these headers to pages and their resources, not to data. */
const FOR_PAGES_ONLY = {
  crossOriginOpenerPolicy: false,
  dnsPrefetchControl: false,
  ieNoOpen: false,
  originAgentCluster: false,
  permittedCrossDomainPolicies: false,
  xssFilter: false,
} as const;

/** Which requests are accepted. */
export interface DoorOptions {
  /** The origins whose pages may read responses; `null` where another plugin handles CORS. */
  readonly corsOrigins: readonly string[] | null;
  /** Whether to tell browsers that the whole host speaks TLS alone. */
  readonly ownsHost: boolean;
  /** Whether answers may be compressed. */
  readonly compression: boolean;
  /** Whether a request may say by its position how recent its answer has to be. */
  readonly replicated: boolean;
  /** `Cache-Control` of anonymous GETs of trusted documents; `null` to forbid storing them. */
  readonly cacheControl: string | null;
  /** How long the event loop may lag before requests are refused, in milliseconds. */
  readonly maxEventLoopDelayMs: number;
}

/**
 * Guards the routes of an instance against overload, pages of other sites, and misuse of responses by browsers.
 *
 * @param app the instance
 * @param options which requests are accepted
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
      ...(options.cacheControl === null ? [] : ['cookie']),
      ...(options.replicated ? [POSITION_HEADER] : []),
      ...((corsOrigins ?? []).length > 0 ? ['origin'] : []),
    ].join(', '),
    'cache-control': 'no-store',
  };
  app.addHook('onRequest', (_request, reply, done) => {
    // Another plugin may have said what its headers depend on.
    const theirs = reply.getHeader('vary');
    reply.headers(theirs === undefined ? headers : { ...headers, vary: `${theirs}, ${headers.vary}` });
    done();
  });
  // An app that has the plugin already sets its own limits.
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
