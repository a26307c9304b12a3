import { InvalidInput } from '../index.ts';
import { databaseId } from '../pothos/index.ts';
import { isPositiveId } from './positive-id.ts';

/**
 * The database id behind a global id in a mutation's input.
 *
 * @param typename the type that the id must be of
 * @param field the input's field
 * @param globalId what the client sent
 * @returns the database id; a row with it need not exist
 * @throws {InvalidInput} when the text is no global id of that type
 */
export function inputId(typename: string, field: string, globalId: string): string {
  const id = databaseId(typename, globalId);
  if (id === null || !isPositiveId(id)) throw notFound(typename, field);
  return id;
}

/**
 * @param typename the type
 * @param field the input's field
 * @returns the error for an id that names nothing of that type
 */
export function notFound(typename: string, field: string): InvalidInput {
  return new InvalidInput(field, 'NOT_FOUND', `Expected the id of a node of the type ${typename} that exists.`);
}

/**
 * Selects the fields that an input changes. What a client leaves out or sets to `null` stays as it is.
 *
 * @param input the input's fields
 * @returns those that have a value
 */
export function given<T extends object>(input: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(input).filter(([, value]) => value != null);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}
