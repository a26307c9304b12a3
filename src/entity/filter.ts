import { type SQL, sql } from 'drizzle-orm';
import { alias, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { sqlType } from '../postgres/sql-type.ts';
import { arrayLiteral } from '../postgres/statement.ts';
import { sqlText } from '../postgres/value-text.ts';
import { wrongDeclaration } from './check-declaration.ts';
import { columnCodec, NoParameter } from './column-codec.ts';
import { lacksOperator } from './operators.ts';

/** A condition on the rows of a list, with a place for a value. */
export interface Filter {
  readonly operator: Operator;
  /** The column that is compared; `null` for a condition of the user's own. */
  readonly column: PgColumn | null;
  /** The SQL type of the parameter; `null` where the value is a part of the condition. */
  readonly type: string | null;
  /**
   * @param value the value that the client gave
   * @returns the value as SQL text; `null` for none
   * @throws what the column's mapper throws when it cannot have it
   */
  encode(value: unknown): string | null;
  /**
   * @param value the place of the value
   * @param text the value as `encode` gives it, for conditions that contain it
   * @returns the condition on the row `t`
   */
  condition(value: SQL, text: string): SQL;
}

/** How a filter may compare. */
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

/** An array travels as text, since `unnest` would flatten an array of arrays. */
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
    // Postgres searches the texts within JSON by itself. Other types are searched as their text.
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
 * @param name the filter's name, for errors
 * @param table the table that its list scans
 * @param options the filter as its list declares it
 * @returns the filter
 * @throws {TypeError} when it has no operator, several, an unknown one, or one that the column's type lacks
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
      // An array is one JSON value here. For other types it is an array of SQL.
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
  if (lacksOperator(operator, column)) {
    const got = `${column.name} of the type ${sqlType(column)}`;
    throw wrongDeclaration(name, `a column that Postgres can compare by \`${operator}\``, got, 'filters');
  }
  return {
    operator: operator as Operator,
    column,
    ...COLUMN_FILTERS[operator as keyof typeof COLUMN_FILTERS](column, config),
  };
}

/**
 * @param value what a source gave for a filter with the operator `in`
 * @returns the same
 * @throws {NoParameter} when it is no array
 */
function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new NoParameter('Expected an array for a filter with the operator `in`.');
  return value;
}
