import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { RequestRefused } from './errors/request-refused.ts';

/** The media types of responses. The second tells a client by its status whether the request was executed. */
export type MediaType = 'application/json' | 'application/graphql-response+json';

/**
 * The default comes first (GraphQL over HTTP specification, section 6.1). Each has its charset, so that a client that names it is answered.
 * A client that names another charset is not.
 */
const RESPONSES: Record<string, MediaType> = {
  'application/json; charset=utf-8': 'application/json',
  'application/graphql-response+json; charset=utf-8': 'application/graphql-response+json',
};

/** A media type with its parameters, each of which may be missing (RFC 9110, sections 5.6.6 and 8.3.1). */
const MEDIA_TYPE =
  /^([\w.+-]+\/[\w.+-]+)[ \t]*((?:;(?:[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*"))?[ \t]*)*)$/;

/** The parameters that matter for a body of JSON: its charset, and a boundary, which means several bodies. */
const TELLING = /;[ \t]*(charset|boundary)=("[^"]*"|[^ \t;]*)/gi;

/** The media type for recent values of `Accept`. Clients have few, and parsing one is slow beside a small request. */
const remembered = new LRUCache<string, { readonly type: MediaType | null }>({ max: 64 });

/** The longest value that is remembered, in characters. Otherwise a client could fill the memory. */
const MAX_LENGTH = 500;

/**
 * Picks the media type of a response by the client's `Accept`, q-values included.
 *
 * @param request the request
 * @returns the media type; `null` when the client accepts neither
 */
export function acceptedType(request: FastifyRequest): MediaType | null {
  const { accept } = request.headers;
  if (accept === undefined) return 'application/json';
  const known = remembered.get(accept);
  if (known !== undefined) return known.type;
  const accepted = request.accepts().type(Object.keys(RESPONSES));
  const type = typeof accepted === 'string' ? (RESPONSES[accepted] ?? null) : null;
  if (accept.length <= MAX_LENGTH) remembered.set(accept, { type });
  return type;
}

/**
 * Picks the media type of a response that a client has to accept.
 *
 * @param request the request
 * @returns the media type
 * @throws {RequestRefused} 406 when the client accepts neither
 */
export function responseType(request: FastifyRequest): MediaType {
  const type = acceptedType(request);
  if (type !== null) return type;
  const known = [...new Set(Object.values(RESPONSES))];
  throw new RequestRefused(406, 'NOT_ACCEPTABLE', `Responses are ${known.join(' or ')}.`);
}

/**
 * Checks that a POST is declared as JSON. A page of another site cannot send that without a preflight.
 *
 * @param request the request
 * @throws {RequestRefused} 415 otherwise
 */
export function checkRequestType(request: FastifyRequest): void {
  if (!isJson(request.headers['content-type'] ?? '')) {
    throw new RequestRefused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send a body of the type application/json in UTF-8.');
  }
  const encodings = (request.headers['content-encoding'] ?? '').split(',');
  if (!encodings.every((encoding) => /^[ \t]*(identity)?[ \t]*$/i.test(encoding))) {
    throw new RequestRefused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the body without a content encoding.');
  }
}

/** The only form of a request body: JSON in UTF-8, and no multipart. Parameters that JSON does not have are ignored. */
function isJson(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  const [, type, parameters = ''] = MEDIA_TYPE.exec(contentType) ?? [];
  if (type?.toLowerCase() !== 'application/json') return false;
  return [...parameters.matchAll(TELLING)].every(
    ([, name = '', value = '']) => name.toLowerCase() === 'charset' && /^"?utf-?8"?$/i.test(value),
  );
}
