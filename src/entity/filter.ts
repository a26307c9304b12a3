import { type SQL, sql } from 'drizzle-orm';
import { alias, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { sqlType } from '../postgres/sql-type.ts';
import { arrayLiteral } from '../postgres/statement.ts';
import { isWritable, textForm } from '../postgres/text-form.ts';
import { wrongDeclaration } from './check-declaration.ts';
import { columnCodec } from './column-codec.ts';
import { sqlText } from './driver-value.ts';
import { InvalidInput } from './invalid-input.ts';

/** A condition on the rows of a list, with a place for a value. */
export interface Filter {
  readonly operator: Operator;
  /** What is compared; `null` for a condition of the user's own. */
  readonly column: PgColumn | null;
  /** The SQL type that the value travels as; `null` where the value is a part of the condition. */
  readonly type: string | null;
  /**
   * @param value what was asked for
   * @returns the value as SQL text
   * @throws {TypeError} when it is no value of the column
   */
  encode(value: unknown): string | null;
  /**
   * @param value the place of the value
   * @param text the value as `encode` gives it, for conditions that it is a part of
   * @returns the condition on the row `t`
   */
  condition(value: SQL, text: string): SQL;
}

/** What a filter may compare with. */
export type Operator = keyof typeof COLUMN_FILTERS | 'sql';

/** A filter as its list declares it: one operator with its column, or a condition of the user's own. */
export type FilterOptions = { readonly [O in keyof typeof COLUMN_FILTERS]?: PgColumn } & {
  /** The configuration of a text search; the database's own when it is left out. */
  readonly config?: string;
  readonly sql?: (row: never, value: SQL) => SQL;
  /** The SQL type of the value of `sql`. */
  readonly type?: string;
};

const place = (column: PgColumn) => sql`t.${sql.identifier(column.name)}`;

/** Arrays travel as text: an array of arrays would be taken apart into all of their elements. */
const compared = (operator: string) => (column: PgColumn) => {
  const type = sqlType(column);
  const cast = type.endsWith('[]') ? sql`::${sql.raw(type)}` : sql``;
  return {
    type: type.endsWith('[]') ? 'text' : type,
    encode: columnCodec(column).encode,
    condition: (value: SQL) => sql`${place(column)} ${sql.raw(operator)} ${value}${cast}`,
  };
};

const COLUMN_FILTERS = {
  eq: compared('='),
  gt: compared('>'),
  gte: compared('>='),
  lt: compared('<'),
  lte: compared('<='),
  in: (column: PgColumn) => ({
    type: 'text',
    encode: (value: unknown) => {
      const { encode } = columnCodec(column);
      return arrayLiteral(asArray(value).map(encode));
    },
    condition: (value: SQL) => sql`${place(column)} = any(${value}::${sql.raw(sqlType(column))}[])`,
  }),
  contains: (column: PgColumn) => ({
    type: 'text',
    encode: columnCodec(column).encode,
    condition: (value: SQL) => sql`${place(column)} @> ${value}::${sql.raw(sqlType(column))}`,
  }),
  isNull: (column: PgColumn) => ({
    type: null,
    encode: (value: unknown) => String(value === true),
    condition: (_value: SQL, text: string) => sql`${place(column)} is ${sql.raw(text === 'true' ? '' : 'not ')}null`,
  }),
  startsWith: (column: PgColumn) => ({
    type: 'text',
    encode: (value: unknown) => `${String(value).replace(/[\\%_]/g, '\\$&')}%`,
    condition: (value: SQL) => sql`${place(column)}::text ilike ${value}`,
  }),
  search: (column: PgColumn, config?: string) => {
    const regconfig = config === undefined ? sql`` : sql`${sql.raw(`'${config.replaceAll("'", "''")}'`)}::regconfig, `;
    const type = sqlType(column);
    // Of these, Postgres takes the texts by itself; what else is no text is searched as it is written.
    const written = ['json', 'jsonb'].includes(type) ? place(column) : sql`${place(column)}::text`;
    const document = type === 'tsvector' ? place(column) : sql`to_tsvector(${regconfig}${written})`;
    return {
      type: 'text',
      encode: String,
      condition: (value: SQL) => sql`${document} @@ websearch_to_tsquery(${regconfig}${value})`,
    };
  },
} as const;

/**
 * @param name what the filter is called, for errors
 * @param table the table that its list scans
 * @param options the filter as its list declares it
 * @returns the filter
 * @throws {TypeError} when it has no operator, or several, or one that there is not
 */
export function filterOf(name: string, table: PgTable, options: FilterOptions): Filter {
  const { config, type, ...operators } = options;
  const [[operator, subject] = [], ...others] = Object.entries(operators);
  if (operator === undefined || subject === undefined || others.length > 0) {
    throw wrongDeclaration(name, 'one operator', others.length === 0 ? 'none' : 'several', 'filters');
  }
  if (operator === 'sql') {
    if (type === undefined)
      throw wrongDeclaration(name, "the SQL type of the value, as in type: 'text'", 'none', 'filters');
    const condition = subject as (row: unknown, value: SQL) => SQL;
    const row = alias(table, 't');
    const value = (of: SQL) => (type.endsWith('[]') ? sql`${of}::${sql.raw(type)}` : of);
    return {
      operator,
      column: null,
      type: type.endsWith('[]') ? 'text' : type,
      // An array is a value of its own there, and else a list of them.
      encode: type === 'json' || type === 'jsonb' ? JSON.stringify : sqlText,
      condition: (of) => sql`(${condition(row, value(of))})`,
    };
  }
  if (!Object.hasOwn(COLUMN_FILTERS, operator)) {
    const known = [...Object.keys(COLUMN_FILTERS), 'sql'].join(', ');
    throw wrongDeclaration(name, `one of the operators ${known}`, operator, 'filters');
  }
  const column = subject as PgColumn;
  if (operator === 'in' && sqlType(column).endsWith('[]')) {
    throw wrongDeclaration(name, 'a column that is no array for `in`', column.name, 'filters');
  }
  return {
    operator: operator as Operator,
    column,
    ...COLUMN_FILTERS[operator as keyof typeof COLUMN_FILTERS](column, config),
  };
}

/** The filters that a page is asked with: names with values as SQL text, in the order of the list's declaration. */
export type GivenFilters = readonly (readonly [name: string, text: string])[];

/** Whoever passes the arguments of a connection on as they are passes these, too. */
const PAGE_ARGUMENTS = ['first', 'after', 'last', 'before'];

/** Types of which every value that there is has a form that is known, so that Postgres need not be asked whether it is one. */
const CHECKED = ['smallint', 'integer', 'bigint', 'boolean'];

/**
 * @param filters a list's filters
 * @param values what was asked for, by name; what is `null` or `undefined` was not
 * @returns the values as SQL text
 * @throws {InvalidInput} for what is no value of its column
 * @throws {TypeError} for a filter that the list has not
 */
export function givenFilters(
  filters: Readonly<Record<string, Filter>>,
  values: Readonly<Record<string, unknown>>,
): GivenFilters {
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(filters, name) && !PAGE_ARGUMENTS.includes(name))
      throw new TypeError(`There is no filter ${name}, but ${Object.keys(filters)}.`);
  }
  const given: (readonly [string, string])[] = [];
  for (const [name, filter] of Object.entries(filters)) {
    const value = values[name];
    if (value === null || value === undefined) continue;
    const text = filter.encode(value);
    if (text === null) continue;
    if (!isValueOf(filter, text)) {
      throw new InvalidInput(name, 'MALFORMED', `Expected ${name} to be a value that its column can have.`);
    }
    given.push([name, text]);
  }
  return given;
}

function isValueOf({ column, type, operator }: Filter, text: string): boolean {
  if (!isWritable(text)) return false;
  // Of an enum, and of text that Drizzle says has only some.
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

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('Expected an array for a filter with the operator `in`.');
  return value;
}
