import { fillPlaceholders, type SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';

const dialect = new PgDialect();

/** A statement whose text never changes: Postgres parses and plans it once per connection, however often it runs, unless it is not prepared. */
export interface Statement<Row> {
  /** What the statement is called in figures, such as `Campaign.byIds`. */
  readonly name: string;
  readonly text: string;
  /** Whether Postgres is to keep it for the next time; left out, it is. */
  readonly prepared?: boolean;
  /**
   * Puts values in the places of the statement's placeholders.
   *
   * @param values one value for each `sql.placeholder(name)`
   * @returns the parameters, in the order of the text
   * @throws when a placeholder has no value
   */
  parameters(values: Record<string, unknown>): unknown[];
  /** Never set: carries the type of a row from where the statement is written to where it runs. */
  readonly row?: Row;
}

/**
 * Turns a query with placeholders into a statement, once, when the process starts.
 *
 * @param name what the statement is called in figures
 * @param query the query; what varies in it must be `sql.placeholder(…)`
 * @returns the statement
 */
export function statement<Row>(name: string, query: SQL): Statement<Row> {
  const { sql: text, params } = dialect.sqlToQuery(query);
  return { name, text, parameters: (values) => fillPlaceholders(params, values) };
}

/**
 * Writes a Postgres array literal. Arrays travel as text so that the driver needs no knowledge of array types.
 *
 * @param items the elements as SQL text; `null` for NULL
 * @returns the literal, such as `{"1","2"}`
 */
export function arrayLiteral(items: readonly (string | number | boolean | null)[]): string {
  return `{${items.map((item) => (typeof item === 'string' ? quote(item) : (item ?? 'null'))).join(',')}}`;
}

function quote(text: string): string {
  // Nearly none has to be escaped, and to look first takes a third of the time.
  const escaped = text.includes('"') || text.includes('\\') ? text.replace(/[\\"]/g, '\\$&') : text;
  return `"${escaped}"`;
}
