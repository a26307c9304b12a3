import accepts from '@fastify/accepts';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import pressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type GraphQLSchema, getVariableValues } from 'graphql';
import mercurius from 'mercurius';
import { type AuthOptions, authorize } from './auth.ts';
import { checkCost } from './cost-limit.ts';
import { createDocuments, type PreparedOperation } from './documents.ts';
import { publicErrors, unsuggested } from './errors.ts';
import { dataFetching } from './inspector.ts';
import { checkRequestType, responseType } from './media-type.ts';
import { readParameters } from './parameters.ts';
import { type PointBuckets, pay } from './rate-limit.ts';
import { RequestRefused } from './request-refused.ts';
import type { RecordedStatements } from './recorded-statements.ts';
import { noteErrors, OTHER, type StateFactory } from './request-state.ts';
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
  readonly introspection: 'on' | 'authenticated' | 'off';
  /** The origins whose pages may read responses. */
  readonly corsOrigins: readonly string[];
  /** `Cache-Control` of anonymous GETs of trusted documents; `null` to forbid storing them. */
  readonly cacheControl: string | null;
  /** How long the event loop may lag before requests are turned away, in milliseconds. */
  readonly maxEventLoopDelayMs: number;
  /** Gets the statements of inspected requests; `null` outside of development. */
  readonly statements: RecordedStatements | null;
}

/** How long a client should wait before it tries again, in seconds. */
const RETRY_AFTER_SECONDS = 1;

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
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
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
    const variables = coerce(schema, operation, parameters.variables);
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

/** A mutation by GET could be sent by any link. */
function checkMethod(operation: PreparedOperation, request: FastifyRequest): void {
  if (request.method === 'POST' || !operation.isMutation) return;
  throw new RequestRefused(405, 'METHOD_NOT_ALLOWED', 'Mutations need a POST.', { headers: { allow: 'POST' } });
}

/** A browser says from where a page sends a GET: those of other sites may not, unless they are allowed to read it too. */
function checkSite(request: FastifyRequest, corsOrigins: readonly string[]): void {
  const site = request.headers['sec-fetch-site'];
  const foreign = site === 'cross-site' || site === 'same-site';
  if (foreign && !corsOrigins.includes(request.headers.origin ?? '')) {
    throw new RequestRefused(403, 'CROSS_SITE', 'Pages of other sites may not ask here.');
  }
}

function checkIntrospection(
  operation: PreparedOperation,
  request: FastifyRequest,
  introspection: GraphQLOptions['introspection'],
): void {
  if (!operation.introspects || introspection === 'on') return;
  if (introspection === 'authenticated' && request.viewer !== null) return;
  throw new RequestRefused(400, 'INTROSPECTION_OFF', 'This server does not show its schema to you.', {
    wellFormed: true,
  });
}

/** Values are left out of the message: what a client sent may be a secret, and messages end up in logs. */
function coerce(
  schema: GraphQLSchema,
  { definition }: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
) {
  const { coerced, errors } = getVariableValues(schema, definition.variableDefinitions ?? [], variables, {
    maxErrors: 5,
  });
  if (coerced !== undefined) return coerced;
  throw new RequestRefused(400, 'BAD_USER_INPUT', 'The variables are not of their types.', {
    wellFormed: true,
    errors: (errors ?? []).map((error) => ({
      message: withoutValue(error.message),
      ...(error.locations === undefined ? {} : { locations: error.locations }),
      extensions: { code: 'BAD_USER_INPUT' },
    })),
  });
}

/** `Variable "$a" got invalid value 5 at "a.b"; Expected …: 5` says which variable and what was expected. */
function withoutValue(message: string): string {
  return unsuggested(message)
    .replace(/ got invalid value .*?(?=( at "[^"]*")?; )/s, ' got an invalid value')
    .replace(/(; .*?): .*$/s, '$1.');
}

function unavailable(message: string): RequestRefused {
  return new RequestRefused(503, 'UNAVAILABLE', message, { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } });
}

/** Answers a request that was not executed: errors and no data (GraphQL specification, section 7.1). */
function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply) {
  const error = isTimeout(thrown) ? unavailable('The request took too long. Try again.') : thrown;
  const type = request.headers.accept?.includes('application/graphql-response+json')
    ? 'application/graphql-response+json'
    : 'application/json';
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
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply.code(status).send(JSON.stringify({ errors: errors.map((shown) => shown.error) }));
}

function isTimeout(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'FST_ERR_HANDLER_TIMEOUT';
}
