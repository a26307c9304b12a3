import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { POSITION_HEADER } from '../position-header.ts';

/** How long a browser may remember a preflight, in seconds. No browser remembers it for longer than two hours. */
const MAX_AGE_SECONDS = 7200;

/** Headers of an answer that a page may read, beside those that it always may. */
const EXPOSED = 'retry-after, www-authenticate, x-request-id';

/** Tells a browser what a page may do with an answer. */
export type AllowPages = (request: FastifyRequest, reply: FastifyReply) => void;

/**
 * The server's side of CORS (Fetch standard, section 3.2), for every answer to a request. A page that cannot read a refusal takes it for a
 * broken network.
 *
 * @param origins the origins whose pages may read answers; for none, nothing is added
 * @param replicated whether answers have the position that a client has to send with its next request
 * @returns adds the headers to an answer, those of a preflight among them
 */
export function allowPages(origins: readonly string[], replicated = false): AllowPages {
  const allowed = new Set(origins);
  const exposed = replicated ? `${EXPOSED}, ${POSITION_HEADER}` : EXPOSED;
  return ({ method, headers }, reply) => {
    if (allowed.size === 0) return;
    const preflight = method === 'OPTIONS';
    const vary = preflight ? 'origin, access-control-request-headers' : 'origin';
    // Another plugin may have said what its headers depend on.
    const theirs = reply.getHeader('vary');
    reply.header('vary', theirs === undefined ? vary : `${theirs}, ${vary}`);
    const { origin } = headers;
    if (origin === undefined || !allowed.has(origin)) return;
    reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', exposed);
    if (!preflight) return;
    reply.header('access-control-allow-methods', 'GET, POST').header('access-control-max-age', MAX_AGE_SECONDS);
    const asked = headers['access-control-request-headers'];
    if (asked !== undefined) reply.header('access-control-allow-headers', asked);
  };
}

/** Adds the headers of CORS before anything else can answer. */
export const corsPlugin = plugin<{ allow: AllowPages }>(
  async (app, { allow }) => {
    app.addHook('onRequest', (request, reply, done) => {
      allow(request, reply);
      done();
    });
  },
  { name: 'larder-cors', fastify: '5.x' },
);
