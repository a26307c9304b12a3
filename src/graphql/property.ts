import type { GraphQLField } from 'graphql';

/** The extensions of a field that is a property of its parent's, such as a connection's nodes. */
export const PROPERTY = { isProperty: true };

/**
 * Takes the resolver away from a field that is a property: Pothos gives it one nevertheless, to load what might be an id. A compiled
 * query reads the property instead, which saves it a call, and what a call is told of its place, for each entry of each page.
 *
 * @param field the field
 */
export function readProperty(field: GraphQLField<unknown, unknown>): void {
  if (field.extensions.isProperty === true) delete field.resolve;
}
