import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { GraphQLFormattedError } from 'graphql';
import type { Scope } from '../bodies/scope.ts';
import { Context, type LarderContext } from '../repository/context.ts';
import type { Viewer } from './guards/viewer.ts';

/** A request's context as mercurius carries it: the resolvers' part, and the server's own. */
export interface RequestState extends LarderContext {
  /** Whether the response shows what the request did. */
  readonly inspected: boolean;
  /** The operation's static cost in points; `null` until it is known. */
  cost: number | null;
  /** The operation's name when its document is trusted, otherwise `other`. A stranger's name must not get into metrics. */
  operation: string;
  /** The length of the answer before compression, in bytes; `null` when it is not compressed. */
  bytes: number | null;
}

/** Makes the state of a request. */
export type StateFactory = (request: FastifyRequest, reply: FastifyReply) => RequestState;

/** The name in metrics of operations that no trusted document names. */
export const OTHER = 'other';

/**
 * The single object of a request's state. It has mercurius' properties from the start: adding a dozen properties later makes V8 turn the
 * object into a table of kilobytes.
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
    /** Larder's state of the request; `null` for a request that is not GraphQL, or was refused before. */
    larderState: RequestState | null;
    /** The codes of the errors in its answer, each once; `null` for none. */
    larderErrors: Set<string> | null;
    /** The sender; `null` for an anonymous reader. */
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
 * Remembers the errors in a request's answer, for metrics and the log.
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
