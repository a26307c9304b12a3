import {
  type GraphQLField,
  GraphQLInt,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isObjectType,
} from 'graphql';
import { DEFAULT_PAGE_SIZE, pageSizeOf } from '../../pothos/connection.ts';

/** How many entries a list has at most, or the list in the page that a field answers. */
export type EntriesOf = (args: Record<string, unknown>) => number;

/**
 * @param field a field
 * @returns counts the entries of its list: what its `extensions.entries` says, or the size of a page for a connection of the application's own;
 *   `undefined` where nothing says so
 */
export function entriesOf(field: GraphQLField<unknown, unknown>): EntriesOf | undefined {
  const { entries }: { readonly entries?: EntriesOf } = field.extensions;
  return entries ?? (isOwnConnection(field) ? pageSizeOf : undefined);
}

/**
 * Counts the entries of a list. An application's own function may give a client's number as it is. One below 0 would pay for the rest of the
 * request, and no limit stops what is no number.
 *
 * @param field the field
 * @param entries counts them
 * @param args the field's arguments
 * @returns the number, 0 or more; what is assumed where the function gives none
 */
export function countEntries(
  field: GraphQLField<unknown, unknown>,
  entries: EntriesOf,
  args: Record<string, unknown>,
): number {
  const size: unknown = entries(args);
  return typeof size === 'number' && !Number.isNaN(size) ? Math.max(size, 0) : assumedLength(field);
}

/**
 * @param field a list that does not say how long it is
 * @returns the number of entries that it is taken to have. What a schema says of itself is as long as it is
 */
export function assumedLength({ type }: GraphQLField<unknown, unknown>): number {
  return isIntrospectionType(getNamedType(type)) ? 1 : DEFAULT_PAGE_SIZE;
}

/** Whether it is a connection of Relay's that Larder did not make, such as one of Pothos' `t.connection`. */
function isOwnConnection({ args, type }: GraphQLField<unknown, unknown>): boolean {
  const page = getNullableType(type);
  if (!isObjectType(page) && !isInterfaceType(page)) return false;
  const edges = page.getFields().edges?.type;
  const isSize = ({ name, type }: (typeof args)[number]) =>
    (name === 'first' || name === 'last') && getNullableType(type) === GraphQLInt;
  return args.some(isSize) && edges !== undefined && isListType(getNullableType(edges));
}
