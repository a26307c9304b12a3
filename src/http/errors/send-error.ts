import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptedType } from '../media-type.ts';
import { noteErrors } from '../request-state.ts';
import { publicErrors } from './errors.ts';
import { RequestRefused } from './request-refused.ts';
import { readOn } from './unread-body.ts';

/** How long a client should wait before it tries again, in seconds. */
export const RETRY_AFTER_SECONDS = 1;

/**
 * @param message the message for the client
 * @returns a refusal with 503 and `Retry-After`
 */
export function unavailable(message: string): RequestRefused {
  return new RequestRefused(503, 'UNAVAILABLE', message, { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } });
}

/**
 * Answers a request that was not executed, with errors and no data (GraphQL specification, section 7.1).
 *
 * @param error what was thrown
 * @param request the request
 * @param reply its reply
 * @returns the reply, sent
 */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  if (isHangUp(error, reply)) {
    request.log.debug({ code: error.code }, 'a client hung up');
    return reply;
  }
  readOn(request, reply);
  const type = acceptedType(request) ?? 'application/json';
  reply.type(`${type}; charset=utf-8`);
  if (error instanceof RequestRefused) {
    noteErrors(request, error.publicErrors());
    const { headers = {}, wellFormed = false } = error.details;
    const status = wellFormed && type === 'application/json' ? 200 : error.statusCode;
    return reply
      .code(status)
      .headers(headers)
      .send(JSON.stringify({ errors: error.publicErrors() }));
  }
  const errors = publicErrors(error, request.log);
  noteErrors(
    request,
    errors.map((shown) => shown.error),
  );
  const status = errors[0]?.status ?? 500;
  // A hook of the app's may know better.
  if (status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply.code(status).send(JSON.stringify({ errors: errors.map((shown) => shown.error) }));
}

/** Whether the only error is that the client has left. Then there is nobody to answer, and nothing to warn of. */
function isHangUp(error: unknown, reply: FastifyReply): error is NodeJS.ErrnoException {
  if (!reply.raw.destroyed || !(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
