import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLContext } from '../graphql/context.ts';

/** A request's context as mercurius carries it: the resolvers' part, and what the server keeps beside it. */
export interface RequestState extends GraphQLContext {
  /** Whether the response shows what the request did. */
  readonly inspected: boolean;
  /** The operation's static cost in points; `null` until it is known. */
  cost: number | null;
}

/** Makes the state of a request. */
export type StateFactory = (request: FastifyRequest, reply: FastifyReply) => RequestState;
