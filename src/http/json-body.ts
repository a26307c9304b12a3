import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestRefused } from './errors/request-refused.ts';

/**
 * Lets an instance accept bodies of JSON in UTF-8 and nothing else. Otherwise bytes that are not UTF-8 would be replaced silently, and
 * written so. Keys that reach for a prototype are refused.
 *
 * @param app the instance
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (isUtf8(body as Buffer)) parse(request, body.toString('utf8'), done);
    else done(new RequestRefused(400, 'BAD_REQUEST', 'The body is not UTF-8.'));
  });
}

/**
 * Parses JSON as that of a body is parsed.
 *
 * @param request the request that it came with
 * @param text the JSON
 * @returns its value
 * @throws {Error} when it is not JSON, or has keys that reach for a prototype
 */
export function parseJson(request: FastifyRequest, text: string): unknown {
  const read: { failed?: Error | null; value?: unknown } = {};
  request.server.getDefaultJsonParser('error', 'error')(request, text, (failed, value) =>
    Object.assign(read, { failed, value }),
  );
  if (read.failed) throw read.failed;
  return read.value;
}
