import type { FastifyRequest } from 'fastify';
import { RequestRefused } from './request-refused.ts';

/** The media types of responses. The second tells a client by its status whether the request was executed. */
export type MediaType = 'application/json' | 'application/graphql-response+json';

/** What a client that does not care gets comes first (GraphQL over HTTP specification, section 6.1). */
const RESPONSES: MediaType[] = ['application/json', 'application/graphql-response+json'];

/** The one form of a request body: JSON in UTF-8, nothing around it. */
const REQUEST_BODY = /^application\/json[ \t]*(;[ \t]*charset="?utf-?8"?[ \t]*)?$/i;

/**
 * Picks the media type of a response by the client's `Accept`, q-values included.
 *
 * @param request the request
 * @returns the media type
 * @throws {RequestRefused} 406 when the client accepts neither
 */
export function responseType(request: FastifyRequest): MediaType {
  const accepted = request.accepts().type(RESPONSES);
  const type = RESPONSES.find((known) => known === accepted);
  if (type === undefined) {
    throw new RequestRefused(406, 'NOT_ACCEPTABLE', `Responses are ${RESPONSES.join(' or ')}.`);
  }
  return type;
}

/**
 * Checks that a POST says plainly that it is JSON. A page of another site cannot send that without asking first.
 *
 * @param request the request
 * @throws {RequestRefused} 415 otherwise
 */
export function checkRequestType(request: FastifyRequest): void {
  if (!REQUEST_BODY.test(request.headers['content-type'] ?? '')) {
    throw new RequestRefused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send a body of the type application/json in UTF-8.');
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new RequestRefused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the body without a content encoding.');
  }
}
