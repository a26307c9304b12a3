import type { FastifyInstance, FastifyReply } from 'fastify';
import {
  type ExecutionResult,
  execute,
  type GraphQLFormattedError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import mercurius from 'mercurius';
import type { Plan } from '../documents/plans.ts';
import type { Variables } from '../documents/variables.ts';
import { publicErrors } from '../errors/errors.ts';
import { RETRY_AFTER_SECONDS } from '../errors/send-error.ts';
import { noteErrors, type RequestState } from '../request-state.ts';
import type { Output } from '../splice/output.ts';
import { createSplicer, type SplicedOperation } from '../splice/splice.ts';

/** How an answer is written is planned when its operation has come this often before. Planning one that comes once takes longer than executing it. */
const PLAN_AT = 3;

/** How many plans are kept, and how many documents in mercurius. Of the latter, twice as many may be kept for a while. */
const COPIES = 512;

/** The result of an operation, as the client may see it. */
export interface Execution extends ExecutionResult {
  /** The body up to the end of its data, where it was written as text; then there is no `data`. */
  readonly written?: Output;
}

/** Executes an operation, and sets the reply's status. It answers at once when memory has everything. */
export type Execute = (
  plan: Plan,
  state: RequestState,
  variables: Variables,
  reply: FastifyReply,
) => Execution | Promise<Execution>;

/**
 * Makes what executes checked operations. mercurius executes them, and keeps a copy of each document, found by the document object.
 * The answers to queries of entities that come often are written as text. Mutations, and all else that comes often, are executed by graphql-js
 * alone, and not kept.
 *
 * @param app the instance
 * @param schema the schema
 * @param hasOwn whether an app's own context adds to that of the resolvers. Mercurius would write over some of it
 * @returns executes an operation
 */
export async function registerExecution(
  app: FastifyInstance,
  schema: GraphQLSchema,
  hasOwn: boolean,
): Promise<Execute> {
  // An app's own mercurius keeps its schema. Then graphql-js alone executes what is not spliced.
  const hasOther = app.hasDecorator('graphql');
  if (!hasOther) await registerMercurius(app, schema);
  const splice = createSplicer(schema);
  const known = new LRUCache<Plan, SplicedOperation>({ max: COPIES });
  const spliced = (plan: Plan): SplicedOperation | undefined => {
    if (!plan.mayBeSpliced) return undefined;
    let query = known.get(plan);
    if (query === undefined && plan.runs >= PLAN_AT) {
      query = splice(plan) ?? undefined;
      if (query === undefined) plan.mayBeSpliced = false;
      else known.set(plan, query);
    }
    plan.runs += 1;
    return query;
  };
  const unspliced = async (...[plan, state, variables, reply]: Parameters<Execute>): Promise<Execution> => {
    // Its time has run out, or its client has gone. Nobody would see what graphql-js says.
    if (reply.sent || reply.raw.destroyed) return {};
    if (hasOther || hasOwn || plan.isCut || !plan.mayBeSpliced || isMutation(plan)) {
      return executeAlone(schema, plan, state, variables.given, reply);
    }
    const given = plan.definition.variableDefinitions?.length ? { ...variables.given } : undefined;
    return reply.graphql(plan.document as never, state.context as never, given);
  };
  return (plan, state, variables, reply) => {
    const answered = (result: Execution | null) =>
      result === null ? unspliced(plan, state, variables, reply) : formatted(result, reply);
    const result = spliced(plan)?.(state.context, variables.coerced) ?? null;
    return result instanceof Promise ? result.then(answered) : answered(result);
  };
}

async function registerMercurius(app: FastifyInstance, schema: GraphQLSchema): Promise<void> {
  await app.register(mercurius, {
    schema,
    routes: false,
    cache: COPIES,
    errorFormatter: ({ data, errors = [] }, { reply }) => {
      const { status, shown } = format(errors, reply as FastifyReply);
      return { statusCode: status, response: { data: data ?? null, errors: shown } as never };
    },
  });
}

/**
 * Executes an operation by graphql-js alone, which keeps nothing of it.
 *
 * @param schema the schema
 * @param plan the operation
 * @param state the request's state, with the resolvers' context
 * @param variables the client's variables
 * @param reply gets the status
 * @returns the result as the client may see it
 */
export async function executeAlone(
  schema: GraphQLSchema,
  plan: Plan,
  state: RequestState,
  variables: Readonly<Record<string, unknown>>,
  reply: FastifyReply,
): Promise<ExecutionResult> {
  const { document } = plan;
  // The parent of the root's fields is an object, as in mercurius.
  const asked = { contextValue: state.context, rootValue: {}, variableValues: variables };
  const result = await execute({ schema, document, ...asked });
  return formatted(result, reply, isMutation(plan) && (state.scope.hasWritten || hasAnswer(schema, result)));
}

function formatted({ data = null, written, errors }: Execution, reply: FastifyReply, hasWritten = false): Execution {
  const answer = written === undefined ? { data } : { written };
  if (errors === undefined) return answer;
  const { status, shown } = format(errors, reply, hasWritten);
  reply.code(status);
  return { ...answer, errors: shown as never };
}

function isMutation({ definition }: Plan): boolean {
  return definition.operation === OperationTypeNode.MUTATION;
}

/** Whether a field of a mutation has a value beside the type's name. It may have written otherwise than through repositories. */
function hasAnswer(schema: GraphQLSchema, { data }: ExecutionResult): boolean {
  return Object.values(data ?? {}).some((field) => field !== null && field !== schema.getMutationType()?.name);
}

/**
 * The errors as a client may see them, and their HTTP status, which says when all of it should be sent again. Sent again as a whole, a mutation would
 * write again what has been written.
 */
function format(
  errors: readonly unknown[],
  reply: FastifyReply,
  hasWritten = false,
): { status: number; shown: GraphQLFormattedError[] } {
  const found = errors.flatMap((error) => publicErrors(error, reply.log));
  const unanswered = !hasWritten && found.some(({ status }) => status === 503);
  if (unanswered && !reply.hasHeader('retry-after')) reply.header('retry-after', RETRY_AFTER_SECONDS);
  const shown = found.map(({ error }) => error);
  noteErrors(reply.request, shown);
  return { status: unanswered ? 503 : 200, shown };
}
