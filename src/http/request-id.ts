import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import plugin from 'fastify-plugin';

const HEADER = 'x-request-id';

/** It excludes characters that could forge a line of a log or a header. */
const WELL_FORMED = /^[\w.:+/=~-]{1,128}$/;

/**
 * Finds the id of a request, for the log and for answers.
 *
 * @param request the request; a proxy may have given it an id
 * @returns the id that it came with if that is well-formed, otherwise a new one
 */
export function requestIdOf({ headers }: { readonly headers: IncomingHttpHeaders }): string {
  const given = headers[HEADER];
  return typeof given === 'string' && WELL_FORMED.test(given) ? given : randomUUID();
}

/** Tells every client the id of its request. */
export const requestIdPlugin = plugin(
  async (app) => {
    app.addHook('onRequest', (request, reply, done) => {
      reply.header(HEADER, request.id);
      done();
    });
  },
  { name: 'larder-request-id', fastify: '5.x' },
);
