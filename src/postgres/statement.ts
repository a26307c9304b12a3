import { fillPlaceholders, type SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';

const dialect = new PgDialect();

/** A statement whose text never changes. Postgres parses and plans it once for a connection, unless it is not prepared. */
export interface Statement<Row> {
  /** The statement's name in metrics, such as `Campaign.byIds`. */
  readonly name: string;
  readonly text: string;
  /** Whether Postgres keeps it for the next time; yes when it is left out. */
  readonly prepared?: boolean;
  /**
   * Orders values as the statement's parameters.
   *
   * @param values one value for each `sql.placeholder(name)`
   * @returns the parameters, in the order of the text
   * @throws when a placeholder has no value
   */
  parameters(values: Record<string, unknown>): unknown[];
  /** Never set. It carries the type of a row from where the statement is written to where it runs. */
  readonly row?: Row;
}

/**
 * Turns a query with placeholders into a statement, once, when the process starts.
 *
 * @param name the statement's name in metrics
 * @param query the query; its variable parts must be `sql.placeholder(…)`
 * @returns the statement
 */
export function statement<Row>(name: string, query: SQL): Statement<Row> {
  const { sql: text, params } = dialect.sqlToQuery(query);
  return { name, text, parameters: (values) => fillPlaceholders(params, values) };
}

/**
 * Writes a Postgres array literal. Arrays travel as text, so the driver needs no array types.
 *
 * @param items the elements as SQL text; `null` for NULL
 * @returns the literal, such as `{"1","2"}`
 */
export function arrayLiteral(items: readonly (string | number | boolean | null)[]): string {
  return `{${items.map((item) => (typeof item === 'string' ? quote(item) : (item ?? 'null'))).join(',')}}`;
}

function quote(text: string): string {
  // Nearly no text needs escapes, and checking first is much faster.
  const escaped = text.includes('"') || text.includes('\\') ? text.replace(/[\\"]/g, '\\$&') : text;
  return `"${escaped}"`;
}
