import { isWritable, textForm } from '../postgres/text-form.ts';
import { NoParameter } from './column-codec.ts';
import type { Filter } from './filter.ts';
import { InvalidInput } from './invalid-input.ts';

/** The filters of a page: names with values as SQL text, in the order of the list's declaration. */
export type GivenFilters = readonly (readonly [name: string, text: string])[];

/** Arguments of a connection that are no filters. Callers may pass all arguments on as they are. */
const PAGE_ARGUMENTS = ['first', 'after', 'last', 'before'];

/** Types whose texts can be checked completely here, without asking Postgres. */
const CHECKED = ['smallint', 'integer', 'bigint', 'boolean'];

/**
 * @param filters a list's filters
 * @param values the values that the client gave, by name; `null` and `undefined` mean no filter
 * @returns the values as SQL text
 * @throws {InvalidInput} for a value that its column cannot have
 * @throws {TypeError} for a filter that the list does not have, or one whose value no parameter can carry, whatever a client gives
 */
export function givenFilters(
  filters: Readonly<Record<string, Filter>>,
  values: Readonly<Record<string, unknown>>,
): GivenFilters {
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(filters, name) && !PAGE_ARGUMENTS.includes(name))
      throw new TypeError(`There is no filter ${name}. The list has ${Object.keys(filters).join(', ') || 'none'}.`);
  }
  const given: (readonly [string, string])[] = [];
  for (const [name, filter] of Object.entries(filters)) {
    const value = values[name];
    if (value === null || value === undefined) continue;
    const text = encoded(name, filter, value);
    if (text === null) continue;
    if (!isValueOf(filter, text)) throw malformed(name);
    given.push([name, text]);
  }
  return given;
}

/** A column's own mapper may throw for a value of a client, as that of a `Date` does for an invalid one. */
function encoded(name: string, { encode }: Filter, value: unknown): string | null {
  try {
    return encode(value);
  } catch (cause) {
    if (cause instanceof NoParameter) throw cause;
    throw malformed(name, { cause });
  }
}

function malformed(name: string, options?: ErrorOptions): InvalidInput {
  return new InvalidInput(name, 'MALFORMED', `Expected ${name} to be a value that its column can have.`, options);
}

function isValueOf({ column, type, operator }: Filter, text: string): boolean {
  if (!isWritable(text)) return false;
  // The labels of an enum, or the texts that Drizzle allows.
  const { enumValues = [] } = column ?? {};
  if (
    type !== null &&
    operator !== 'contains' &&
    operator !== 'in' &&
    operator !== 'startsWith' &&
    operator !== 'search'
  ) {
    if (enumValues.length > 0 && !enumValues.includes(text)) return false;
  }
  return column === null || type === null || !CHECKED.includes(type) || textForm(column)?.(text) === true;
}
