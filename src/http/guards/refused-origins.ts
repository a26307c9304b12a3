import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';

/** The most origins that are logged, since anybody may invent as many as they like. */
const MAX_TOLD = 100;

/** How many characters of an origin are logged. */
const MAX_LENGTH = 200;

/** Logs each origin whose pages may not read answers, once. The server seems broken to their users, and the browser tells nobody else. */
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

/** Whether a page of another site sent the request. A browser names the origin of the server's own pages, too, whenever they POST. */
function isForeign({ headers, host }: FastifyRequest, origin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'cross-site' || site === 'same-site';
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
