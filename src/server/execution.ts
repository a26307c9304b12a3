import type { FastifyInstance, FastifyReply } from 'fastify';
import { type ExecutionResult, execute, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import mercurius from 'mercurius';
import { publicErrors } from './errors.ts';
import type { PreparedOperation } from './prepare-document.ts';
import { noteErrors, type RequestState } from './request-state.ts';
import { RETRY_AFTER_SECONDS } from './send-error.ts';
import type { Variables } from './variables.ts';

/** A document is compiled when it has come this often before: what comes once is executed sooner than compiled. */
const COMPILE_AT = 3;

/** How many documents mercurius keeps a copy of; up to twice as many for a while. */
const COPIES = 512;

/** Executes an operation, and sets the reply's status. */
export type Execute = (
  operation: PreparedOperation,
  state: RequestState,
  variables: Variables,
  reply: FastifyReply,
) => Promise<ExecutionResult>;

/**
 * Puts mercurius into an instance, to execute what has been checked. It keeps a copy of each document, found by the document
 * object itself. Large ones are executed without it: so many of those would fill the memory.
 *
 * @param app the instance
 * @param schema the schema
 * @returns what executes an operation
 */
export async function registerExecution(app: FastifyInstance, schema: GraphQLSchema): Promise<Execute> {
  await app.register(mercurius, {
    schema,
    routes: false,
    cache: COPIES,
    jit: COMPILE_AT,
    errorFormatter: ({ data, errors = [] }, { reply }) => {
      const { status, shown } = format(errors, reply as FastifyReply);
      return { statusCode: status, response: { data: data ?? null, errors: shown } as never };
    },
  });
  return (operation, state, { given }, reply) => {
    const variables = operation.definition.variableDefinitions?.length ? { ...given } : undefined;
    if (operation.isLarge) return executeAlone(schema, operation, state, variables, reply);
    return reply.graphql(operation.document as never, state as never, variables);
  };
}

/**
 * Executes an operation without mercurius, which remembers nothing of it.
 *
 * @param schema the schema
 * @param operation the operation
 * @param state the request's state, which resolvers get as their context
 * @param variables the client's variables
 * @param reply gets the status
 * @returns the result as the client may see it
 */
export async function executeAlone(
  schema: GraphQLSchema,
  { document }: PreparedOperation,
  state: RequestState,
  variables: Readonly<Record<string, unknown>> | undefined,
  reply: FastifyReply,
): Promise<ExecutionResult> {
  const { data, errors } = await execute({ schema, document, contextValue: state, variableValues: variables ?? {} });
  if (errors === undefined) return { data: data ?? null };
  const { status, shown } = format(errors, reply);
  reply.code(status);
  return { data: data ?? null, errors: shown as never };
}

/** What of the errors a client may see, and the status that they ask for. */
function format(errors: readonly unknown[], reply: FastifyReply): { status: number; shown: GraphQLFormattedError[] } {
  const found = errors.flatMap((error) => publicErrors(error, reply.log));
  const unanswered = found.some(({ status }) => status === 503);
  if (unanswered) reply.header('retry-after', RETRY_AFTER_SECONDS);
  const shown = found.map(({ error }) => error);
  noteErrors(reply.request, shown);
  return { status: unanswered ? 503 : 200, shown };
}
