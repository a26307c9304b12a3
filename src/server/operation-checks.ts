import type { FastifyRequest } from 'fastify';
import { type GraphQLSchema, getVariableValues } from 'graphql';
import type { PreparedOperation } from './documents.ts';
import { unsuggested } from './errors.ts';
import { RequestRefused } from './request-refused.ts';

/** Who may ask for the schema itself: everybody, bearers of a token, or nobody. */
export type Introspection = 'on' | 'authenticated' | 'off';

/**
 * Lets mutations come by POST only: one by GET could be sent by any link.
 *
 * @param operation the operation
 * @param request the request that carries it
 * @throws {RequestRefused} 405
 */
export function checkMethod(operation: PreparedOperation, request: FastifyRequest): void {
  if (request.method === 'POST' || !operation.isMutation) return;
  throw new RequestRefused(405, 'METHOD_NOT_ALLOWED', 'Mutations need a POST.', { headers: { allow: 'POST' } });
}

/**
 * Shows the schema only to those who may see it.
 *
 * @param operation the operation
 * @param request the request that carries it
 * @param introspection who may
 * @throws {RequestRefused} INTROSPECTION_OFF
 */
export function checkIntrospection(
  operation: PreparedOperation,
  request: FastifyRequest,
  introspection: Introspection,
): void {
  if (!operation.introspects || introspection === 'on') return;
  if (introspection === 'authenticated' && request.viewer !== null) return;
  throw new RequestRefused(400, 'INTROSPECTION_OFF', 'This server does not show its schema to you.', {
    wellFormed: true,
  });
}

/**
 * Turns a client's variables into values of the operation's types (GraphQL specification, section 6.1.2). Values are left out
 * of messages: what a client sent may be a secret, and messages end up in logs.
 *
 * @param schema the schema
 * @param operation the operation
 * @param variables the client's variables
 * @returns the coerced variables, defaults filled in
 * @throws {RequestRefused} naming each variable that is wrong
 */
export function coerceVariables(
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
