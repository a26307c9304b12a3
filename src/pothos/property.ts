import type { GraphQLField } from 'graphql';

/**
 * The extensions of a field that only reads a property of its parent, such as a connection's nodes. Its value is neither a promise nor an
 * id to load.
 */
export const PROPERTY = { isProperty: true };

/**
 * Removes the resolver of a field that only reads a property. Plugins of Pothos add one nevertheless, which reads the property or loads a
 * possible id. A compiled query that reads the property itself saves a call with its info, for each page and each entry.
 *
 * @param field the field; one that another plugin may guard keeps the resolver, which checks its scopes
 */
export function readProperty(field: GraphQLField<unknown, unknown>): void {
  const { isProperty, isRead, isKept } = field.extensions;
  if (isProperty === true && isRead !== true && isKept !== true) delete field.resolve;
}
