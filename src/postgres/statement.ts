import { fillPlaceholders, type SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { Trace } from '../trace/trace.ts';
import type { Database, Send } from './client.ts';
import { Abandoned } from './errors.ts';
import { guarded } from './gate.ts';

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

/**
 * Runs one statement and counts it.
 *
 * @param database where
 * @param statement the statement, which is prepared once for a connection
 * @param values its parameters, by placeholder
 * @param trace the request's trace, which counts the statement, its rows and its time
 * @returns the rows, their values as the driver gives them: bigints and timestamps as text
 * @throws {DatabaseUnavailable} when there is no connection, or the time is over
 * @throws {ConstraintViolation} when a write breaks a constraint
 */
export async function run<Row extends object>(
  database: Database,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  trace: Trace,
): Promise<Row[]> {
  return guarded(database, [database.gate], statement.name, trace, async () => {
    checkWanted(statement.name, trace);
    return send(database.query, statement, values, trace);
  });
}

/**
 * Runs a statement that reads bodies, of which fewer may be under way. It goes on when the client has hung up, since other requests may
 * wait for the same bodies.
 *
 * @param database where
 * @param statement the statement, which is prepared once for a connection
 * @param values its parameters, by placeholder
 * @param trace the request's trace, which counts the statement, its rows and its time
 * @returns as `run` does
 * @throws as `run` does
 */
export async function runBodyRead<Row extends object>(
  database: Database,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  trace: Trace,
): Promise<Row[]> {
  const gates = [database.bodyGate, database.gate];
  return guarded(database, gates, statement.name, trace, () => send(database.query, statement, values, trace));
}

/**
 * Sends a statement, whoever has waited for its place.
 *
 * @param through sends it
 * @param statement the statement
 * @param values its parameters, by placeholder
 * @param trace the request's trace, which counts the statement, its rows and its time
 * @returns the rows
 * @throws as `through` does
 */
export async function send<Row extends object>(
  through: Send,
  statement: Statement<Row>,
  values: Record<string, unknown>,
  trace: Trace,
): Promise<Row[]> {
  const started = trace.clock.now();
  const parameters = statement.parameters(values);
  let count: number | null = null;
  try {
    const rows = await through<Row>(statement.text, parameters, false, statement.prepared);
    count = rows.length;
    return rows;
  } finally {
    trace.statement(statement.name, statement.text, parameters, started, count);
  }
}

/**
 * A client that hung up during the wait for a place needs no answer, and other requests need the place.
 *
 * @param name the statement's or the transaction's name
 * @param trace the request's trace
 * @throws {Abandoned} when nobody waits for it any more
 */
export function checkWanted(name: string, trace: Trace): void {
  if (trace.abandoned) throw new Abandoned(`The client no longer waits for ${name}.`);
}
