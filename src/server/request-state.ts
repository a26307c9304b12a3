import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLContext } from '../graphql/context.ts';

/** A request's context as mercurius carries it: the resolvers' part, and what the server keeps beside it. */
export interface RequestState extends GraphQLContext {
  /** Whether the response shows what the request did. */
  readonly inspected: boolean;
  /** Which operation of the document the client asked for; `null` when it did not say. */
  readonly operationName: string | null;
  /** The operation's static cost in points; `null` until it is known or when nobody asks. */
  cost: number | null;
}

declare module 'mercurius' {
  interface MercuriusContext extends RequestState {}
}

/** Makes the state of a request. */
export type StateFactory = (request: FastifyRequest, reply: FastifyReply) => RequestState;

/**
 * @param request a request to `/graphql`, by GET or POST
 * @returns the operation's name that the client gave; `null` when it gave none
 */
export function operationNameOf(request: FastifyRequest): string | null {
  const parameters = (request.method === 'GET' ? request.query : request.body) as { operationName?: unknown } | null;
  const name = parameters?.operationName;
  return typeof name === 'string' && name !== '' ? name : null;
}
