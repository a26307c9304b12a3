import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import plugin from 'fastify-plugin';

const HEADER = 'x-request-id';

/** Nothing that could forge a line of a log or a header. */
const WELL_FORMED = /^[\w.:+/=~-]{1,128}$/;

/**
 * What a request is called in the log and in answers about it.
 *
 * @param request the request: a proxy may have named it already
 * @returns the name that it came with if it is well-formed, else a new one
 */
export function requestIdOf({ headers }: { readonly headers: IncomingHttpHeaders }): string {
  const given = headers[HEADER];
  return typeof given === 'string' && WELL_FORMED.test(given) ? given : randomUUID();
}

/** Tells every client what its request is called. */
export const requestIdPlugin = plugin(
  async (app) => {
    app.addHook('onRequest', (request, reply, done) => {
      reply.header(HEADER, request.id);
      done();
    });
  },
  { name: 'larder-request-id', fastify: '5.x' },
);
