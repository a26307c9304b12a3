import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';

/** An operation with the fragments of its document. */
export interface Operation {
  readonly definition: OperationDefinitionNode;
  readonly fragments: readonly FragmentDefinitionNode[];
}

/**
 * The static cost of an operation: a point for each field, those of a connection's entries times its page size.
 *
 * @param schema the schema that the operation is valid against
 * @param operation the operation
 * @param variables the client's variables as they came, which fit the operation's
 * @returns the cost in points
 * @throws {GraphQLError} when an argument that must have a value gets null from a variable
 */
export function costOf(
  schema: GraphQLSchema,
  { definition, fragments }: Operation,
  variables: Readonly<Record<string, unknown>>,
): number {
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...fragments] };
  return complexityFromQuery(document, { schema, variables }).complexity;
}
