import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { GraphQLFormattedError } from 'graphql';
import type { Scope } from '../bodies/scope.ts';
import { Context, type LarderContext } from '../repository/context.ts';
import type { Viewer } from './guards/viewer.ts';

/** A request's context as mercurius carries it: the resolvers' part, and what the server keeps beside it. */
export interface RequestState extends LarderContext {
  /** Whether the response shows what the request did. */
  readonly inspected: boolean;
  /** The operation's static cost in points; `null` until it is known. */
  cost: number | null;
  /** The operation's name when its document is trusted, else `other`: what a stranger writes names nothing in figures. */
  operation: string;
  /** How long the answer was before it was compressed, in bytes; `null` when it is sent as it is. */
  bytes: number | null;
}

/** Makes the state of a request. */
export type StateFactory = (request: FastifyRequest, reply: FastifyReply) => RequestState;

/** What an operation is called in figures that no trusted document names. */
export const OTHER = 'other';

/**
 * The one object that a request's state is. It has what mercurius is going to put into it from the start: an object that gets
 * a dozen properties later is a table of kilobytes from then on.
 */
export class State extends Context implements RequestState {
  readonly inspected: boolean;
  cost: number | null = null;
  bytes: number | null = null;
  operation: string = OTHER;
  app = null;
  reply = null;
  errors = null;
  preParsing = null;
  preValidation = null;
  preExecution = null;
  onResolution = null;
  preSubscriptionParsing = null;
  preSubscriptionExecution = null;
  onSubscriptionResolution = null;
  onSubscriptionEnd = null;

  /**
   * @param repositories a repository for each entity
   * @param scope what belongs to the request
   * @param inspected whether the response shows what the request did
   */
  constructor(repositories: unknown, scope: Scope, inspected: boolean) {
    super(repositories, scope);
    this.inspected = inspected;
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What Larder keeps of it; `null` for what is not GraphQL, or was refused before that was made. */
    larderState: RequestState | null;
    /** The codes of the errors that it is answered with, each once; `null` for none. */
    larderErrors: Set<string> | null;
    /** Who sent it; `null` for an anonymous reader. */
    larderViewer: Viewer | null;
  }
}

/** Gives every request a place for its state, where the hooks of other plugins find it. */
export const requestStatePlugin = plugin(
  async (app) => {
    app.decorateRequest('larderState', null);
    app.decorateRequest('larderErrors', null);
    app.decorateRequest('larderViewer', null);
  },
  { name: 'larder-request-state', fastify: '5.x' },
);

/**
 * Remembers what a request is answered with, for figures and the log.
 *
 * @param request the request
 * @param errors the errors as the client sees them
 */
export function noteErrors(request: FastifyRequest, errors: readonly GraphQLFormattedError[]): void {
  for (const { extensions } of errors) {
    request.larderErrors ??= new Set();
    request.larderErrors.add(String(extensions?.code));
  }
}
