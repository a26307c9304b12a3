import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { untilEndOfTurn } from '../../batch.ts';
import type { Clock } from '../../clock.ts';
import { sendCompressed } from '../compression.ts';
import { checkCost } from '../cost/cost-limit.ts';
import { createDocuments } from '../documents/documents.ts';
import { readParameters } from '../documents/parameters.ts';
import { createPlans, withArguments } from '../documents/plans.ts';
import type { TrustedDocuments } from '../documents/trusted-documents.ts';
import { coerceVariables } from '../documents/variables.ts';
import type { Guard } from '../guards/auth.ts';
import { withinTime } from '../guards/deadline.ts';
import { type DoorOptions, guardDoor } from '../guards/door.ts';
import { type PointBuckets, pay, type ThrottleStatus } from '../guards/rate-limit.ts';
import { dataFetching } from '../inspector/inspector.ts';
import type { RecordedStatements } from '../inspector/recorded-statements.ts';
import { responseType } from '../media-type.ts';
import { POSITION_HEADER } from '../position-header.ts';
import { addOwn, OTHER, type RequestState, type StateFactory } from '../request-state.ts';
import { withApolloTrace } from './apollo-trace.ts';
import { type Execute, type Execution, registerExecution } from './execution.ts';
import { idWarnings } from './id-warnings.ts';
import { checkIntrospection, checkMethod, type Introspection } from './operation-checks.ts';

/** Makes what resolvers find in their context, beside Larder's own. */
export type ContextFactory = (request: FastifyRequest, reply: FastifyReply) => object | Promise<object>;

/** What `/graphql` answers, and to whom. */
export interface GraphQLOptions extends DoorOptions {
  readonly schema: GraphQLSchema;
  /** The longest body, in bytes. */
  readonly bodyLimit: number;
  readonly stateOf: StateFactory;
  /** How long a request may take to be answered once it has come in, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly guard: Guard;
  /** Makes what resolvers find in their context, beside Larder's own; `null` for nothing. */
  readonly context: ContextFactory | null;
  readonly documents: TrustedDocuments;
  readonly maxCost: number;
  /** The clients' buckets of points; `null` for no such limit. */
  readonly buckets: PointBuckets | null;
  /** Who may ask for the schema itself: everybody, bearers of a token, or nobody. */
  readonly introspection: Introspection;
  /** Records the statements of inspected requests; `null` outside of development. */
  readonly statements: RecordedStatements | null;
  /** Whether answers warn of ids that cannot name anything; only in development. */
  readonly warnings: boolean;
  /** Makes another schema, for requests that Apollo's router wants traced; `null` for no such traces. */
  readonly apolloSchema: (() => GraphQLSchema) | null;
}

/**
 * Serves `/graphql` by the GraphQL over HTTP specification.
 *
 * @param app the instance
 * @param options what it answers, and to whom
 */
export async function graphqlPlugin(app: FastifyInstance, options: GraphQLOptions): Promise<void> {
  const { identify: preValidation } = options.guard;
  const onRequest = await guardDoor(app, options);
  const plain = await registerExecution(app, options.schema, options.context !== null);
  const execute = options.apolloSchema === null ? plain : withApolloTrace(plain, options.apolloSchema, options.clock);
  // Fastify adds HEAD to GET.
  const { bodyLimit } = options;
  const handler = createHandler(options, execute);
  const exposeHeadRoute = true;
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    exposeHeadRoute,
    bodyLimit,
    onRequest,
    preValidation,
    handler,
  });
}

function createHandler(options: GraphQLOptions, execute: Execute) {
  const { schema, guard, buckets, maxCost, requestTimeoutMs, compression, clock, context } = options;
  const operationOf = createDocuments(schema, requestTimeoutMs, clock);
  const planOf = createPlans();
  // On the way to the answer, what is known at once is not waited for: a promise at each step costs a good part of what memory does.
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const came = clock.now();
    const type = responseType(request);
    const parameters = readParameters(request);
    const { text, trusted } = options.documents.textOf(parameters);
    const found = operationOf(text, parameters.operationName);
    const operation = found instanceof Promise ? await found : found;
    checkMethod(operation, request);
    if (operation.isMutation) guard.authorize(request, reply);
    checkIntrospection(operation, request, options.introspection);
    const definitions = operation.definition.variableDefinitions ?? [];
    const variables = coerceVariables(schema, definitions, parameters.variables);
    const state = options.stateOf(request, reply);
    if (trusted) state.operation = operation.definition.name?.value ?? OTHER;
    const { plan, cost } = withArguments(() => {
      const plan = planOf(operation, variables.coerced);
      return { plan, cost: checkCost(schema, plan, variables, maxCost) };
    });
    state.cost = cost;
    if (operation.isMutation) state.scope.fromPrimary = true;
    const throttleStatus = buckets === null ? null : await pay(buckets, request, state.cost);
    const leftMs = () => requestTimeoutMs - (clock.now() - came);
    if (context !== null) {
      const own = async () => context(request, reply);
      addOwn(state.context, await withinTime(clock, leftMs(), own()));
    }
    const answer = execute(plan, state, variables, reply);
    // Answers that wait for nothing leave together at the end of the turn. One by one, each would cost the client and the process a turn.
    const execution = await (answer instanceof Promise ? withinTime(clock, leftMs(), answer) : untilEndOfTurn(answer));
    const { position } = state.scope;
    if (operation.isMutation && position !== null) reply.header(POSITION_HEADER, position);
    const warnings = options.warnings ? idWarnings(schema, plan, variables.coerced, state.context) : [];
    const extensions = extensionsOf(request, state, throttleStatus, warnings, options);
    const cacheControl = trusted ? cacheControlOf(request, execution, options) : null;
    const plain = extensions === null && execution.extensions === undefined;
    if (cacheControl !== null && plain) reply.header('cache-control', cacheControl);
    const body = plain ? execution : { ...execution, extensions: { ...execution.extensions, ...extensions } };
    reply.type(`${type}; charset=utf-8`);
    const json = bodyOf(body);
    return compression ? sendCompressed(json, state, request, reply) : reply.send(json);
  };
}

/** The body; data that is JSON already comes first. */
function bodyOf(execution: Execution): string | Buffer {
  const { written, errors, extensions } = execution;
  if (written === undefined) return JSON.stringify(execution);
  const hasMore = errors !== undefined || extensions !== undefined;
  written.text(hasMore ? `,${JSON.stringify({ errors, extensions }).slice(1)}` : '}');
  return written.end();
}

/**
 * Whether and how an answer may be stored. It must be the same for everybody, complete, and asked for by a URL. An app's own context may know
 * its clients by their cookies.
 */
function cacheControlOf(request: FastifyRequest, { errors }: Execution, options: GraphQLOptions): string | null {
  const { authorization, cookie } = request.headers;
  const anonymous = authorization === undefined && cookie === undefined && request.larderViewer === null;
  return request.method !== 'POST' && anonymous && errors === undefined ? options.cacheControl : null;
}

/** What the client asked for beside the data, and warnings for a developer. */
function extensionsOf(
  request: FastifyRequest,
  state: RequestState,
  throttleStatus: ThrottleStatus | null,
  warnings: readonly GraphQLFormattedError[],
  { maxCost, statements }: GraphQLOptions,
) {
  const costed = request.headers['x-cost'] === '1';
  if (!costed && !state.inspected && warnings.length === 0) return null;
  const cost = { requested: state.cost, limit: maxCost, ...(throttleStatus && { throttleStatus }) };
  return {
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(costed ? { cost } : {}),
    ...(state.inspected ? { dataFetching: dataFetching(state, statements) } : {}),
  };
}
