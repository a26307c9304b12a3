import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { GraphQLFormattedError } from 'graphql';
import type { Scope } from '../bodies/scope.ts';
import { Context, type LarderContext } from '../repository/context.ts';
import type { Viewer } from './guards/viewer.ts';

/** What the server knows of a request. The resolvers' part is apart, so that an app's own context may use any name for what it adds. */
export interface RequestState {
  /** The resolvers' context. */
  readonly context: LarderContext;
  readonly scope: Scope;
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
 * The resolvers' context. It has mercurius' properties from the start: adding a dozen properties later makes V8 turn the object into a table of
 * kilobytes. Resolvers find the instance and the reply as with mercurius, whoever executes them.
 */
export class ServedContext extends Context {
  readonly app: FastifyInstance;
  readonly reply: FastifyReply;
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
   * @param app the instance that serves it
   * @param reply its reply
   */
  constructor(repositories: unknown, scope: Scope, app: FastifyInstance, reply: FastifyReply) {
    super(repositories, scope);
    this.app = app;
    this.reply = reply;
  }
}

/** The names in the resolvers' context that an app's own context cannot have. */
const RESERVED = ['repositories', 'scope', 'collected'];

/**
 * Adds what an app's own context has.
 *
 * @param context the resolvers' context
 * @param own the app's; a function without types may give nothing
 * @throws {TypeError} when it has a name that is Larder's own
 */
export function addOwn(context: LarderContext, own: object | null | undefined): void {
  const taken = RESERVED.find((name) => own != null && Object.hasOwn(own, name));
  if (taken !== undefined) {
    throw new TypeError(
      `context: the function returned \`${taken}\`, which is Larder's own name. See docs/fastify.md.`,
    );
  }
  Object.assign(context, own);
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
