import accepts from '@fastify/accepts';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import pressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import mercurius from 'mercurius';
import { type AuthOptions, authorize } from './auth.ts';
import { checkCost } from './cost-limit.ts';
import { createDocuments } from './documents.ts';
import { publicErrors } from './errors.ts';
import { dataFetching } from './inspector.ts';
import { checkRequestType, responseType } from './media-type.ts';
import { checkIntrospection, checkMethod, coerceVariables, type Introspection } from './operation-checks.ts';
import { readParameters } from './parameters.ts';
import { type PointBuckets, pay } from './rate-limit.ts';
import type { RecordedStatements } from './recorded-statements.ts';
import { RequestRefused } from './request-refused.ts';
import { noteErrors, OTHER, type StateFactory } from './request-state.ts';
import { RETRY_AFTER_SECONDS, sendError, unavailable } from './send-error.ts';
import { checkSite } from './site-check.ts';
import type { TrustedDocuments } from './trusted-documents.ts';

/** What `/graphql` answers and to whom. */
export interface GraphQLOptions {
  readonly schema: GraphQLSchema;
  readonly stateOf: StateFactory;
  readonly auth: AuthOptions;
  readonly documents: TrustedDocuments;
  readonly maxCost: number;
  /** `null` when clients do not pay. */
  readonly buckets: PointBuckets | null;
  /** Who may ask for the schema itself: everybody, bearers of a token, or nobody. */
  readonly introspection: Introspection;
  /** The origins whose pages may read responses. */
  readonly corsOrigins: readonly string[];
  /** `Cache-Control` of anonymous GETs of trusted documents; `null` to forbid storing them. */
  readonly cacheControl: string | null;
  /** How long the event loop may lag before requests are turned away, in milliseconds. */
  readonly maxEventLoopDelayMs: number;
  /** Gets the statements of inspected requests; `null` outside of development. */
  readonly statements: RecordedStatements | null;
}

/** Serves `/graphql` as the GraphQL over HTTP specification says. */
export async function graphqlPlugin(app: FastifyInstance, options: GraphQLOptions): Promise<void> {
  const { corsOrigins } = options;
  await app.register(accepts);
  await app.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } } });
  await app.register(pressure, {
    maxEventLoopDelay: options.maxEventLoopDelayMs,
    retryAfter: RETRY_AFTER_SECONDS,
    pressureHandler: () => {
      throw unavailable('The service is too busy. Try again.');
    },
  });
  if (corsOrigins.length > 0) await app.register(cors, { origin: [...corsOrigins], methods: ['GET', 'POST'] });
  await app.register(mercurius, {
    schema: options.schema,
    routes: false,
    errorFormatter: (execution, context) => {
      const log = context.reply?.log ?? app.log;
      const errors = (execution.errors ?? []).flatMap((error) => publicErrors(error, log));
      const unanswered = errors.some((error) => error.status === 503);
      if (unanswered) context.reply?.header('retry-after', RETRY_AFTER_SECONDS);
      const response = { data: execution.data ?? null, errors: errors.map(({ error }) => error) };
      if (context.reply !== undefined) noteErrors(context.reply.request, response.errors);
      return { statusCode: unanswered ? 503 : 200, response: response as never };
    },
  });
  const handler = createHandler(options);
  app.setErrorHandler(sendError);
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers({ vary: 'accept, authorization', 'cache-control': 'no-store' });
    if (request.method === 'POST') checkRequestType(request);
    else checkSite(request, corsOrigins);
  };
  app.route({ method: ['GET', 'POST'], url: '/graphql', onRequest, handler });
  app.route({
    method: ['PUT', 'PATCH', 'DELETE'],
    url: '/graphql',
    handler: async () => {
      throw new RequestRefused(405, 'METHOD_NOT_ALLOWED', 'Use GET or POST.', { headers: { allow: 'GET, POST' } });
    },
  });
}

function createHandler(options: GraphQLOptions) {
  const { schema, buckets, maxCost, cacheControl } = options;
  const operationOf = createDocuments(schema);
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const type = responseType(request);
    const parameters = readParameters(request);
    const { text, trusted } = options.documents.textOf(parameters);
    const operation = operationOf(text, parameters.operationName);
    if (operation.isMutation) authorize(options.auth, request, reply);
    checkMethod(operation, request);
    checkIntrospection(operation, request, options.introspection);
    const variables = coerceVariables(schema, operation, parameters.variables);
    const state = options.stateOf(request, reply);
    if (trusted) state.operation = operation.definition.name?.value ?? OTHER;
    state.cost = checkCost(schema, operation, variables, maxCost);
    const throttleStatus = buckets === null ? null : await pay(buckets, request, state.cost);
    const given = operation.definition.variableDefinitions?.length ? { ...parameters.variables } : undefined;
    const execution = await reply.graphql(operation.document as never, state as never, given);
    if (trusted && request.method === 'GET' && cacheControl !== null && request.viewer === null && !execution.errors) {
      reply.header('cache-control', cacheControl);
    }
    const extensions = {
      ...(request.headers['x-cost'] === '1' ? { cost: { requested: state.cost, limit: maxCost, throttleStatus } } : {}),
      ...(state.inspected ? { dataFetching: dataFetching(state, options.statements) } : {}),
    };
    const body = { ...execution, ...(Object.keys(extensions).length > 0 ? { extensions } : {}) };
    return reply.type(`${type}; charset=utf-8`).send(JSON.stringify(body));
  };
}
