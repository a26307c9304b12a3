import { complexityFromQuery } from '@pothos/plugin-complexity';
import { type DocumentNode, type GraphQLSchema, Kind } from 'graphql';

/**
 * The static cost of an operation: a point for each field, those of a connection's entries times its page size.
 *
 * @param schema the schema that the document is valid against
 * @param document the document
 * @param operationName the operation of the document that runs; `null` when it has only one
 * @param variables the client's variables
 * @returns the cost in points
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
  variables: Record<string, unknown>,
): number {
  const definitions = document.definitions.filter(
    (node) => node.kind !== Kind.OPERATION_DEFINITION || operationName === null || node.name?.value === operationName,
  );
  return complexityFromQuery({ ...document, definitions }, { schema, variables }).complexity;
}
