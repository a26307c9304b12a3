import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';

/** Origins that are told about: anybody may make up as many as they like. */
const MAX_TOLD = 100;

/** What is shown of an origin. */
const MAX_LENGTH = 200;

/**
 * Tells the log of pages that may not read answers, each origin once: to its users the server seems broken, and the browser tells
 * nobody but them.
 */
export const refusedOriginsPlugin = plugin<{ corsOrigins: readonly string[] }>(
  async (app, { corsOrigins }) => {
    const allowed = new Set(corsOrigins);
    const told = new Set<string>();
    app.addHook('onRequest', (request, _reply, done) => {
      const { origin } = request.headers;
      if (origin !== undefined && !allowed.has(origin) && told.size < MAX_TOLD && isForeign(request, origin)) {
        const shown = origin.slice(0, MAX_LENGTH);
        if (!told.has(shown)) {
          told.add(shown);
          const last = told.size === MAX_TOLD ? ' (no more origins are told of)' : '';
          request.log.warn(
            { origin: shown },
            `pages of an origin may not read answers: if they should, add it to corsOrigins (CORS_ORIGINS)${last}`,
          );
        }
      }
      done();
    });
  },
  { name: 'larder-refused-origins', fastify: '5.x' },
);

/** A browser names the origin of our own pages, too, whenever they POST. */
function isForeign({ headers, host }: FastifyRequest, origin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'cross-site' || site === 'same-site';
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
