import type { GraphQLField } from 'graphql';

/**
 * The extensions of a field that is a property of its parent's, such as a connection's nodes: neither a promise nor an id that is yet
 * to be loaded.
 */
export const PROPERTY = { isProperty: true };

/**
 * Takes the resolver away from a field that is a property. Plugins of Pothos give it one nevertheless, to read the property or to load
 * what might be an id. A compiled query that reads the property by itself saves a call, and all that a call is told of its place, for
 * each page and each of its entries.
 *
 * @param field the field
 */
export function readProperty(field: GraphQLField<unknown, unknown>): void {
  if (field.extensions.isProperty === true) delete field.resolve;
}
