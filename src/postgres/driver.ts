import type { PendingQuery, RowList, Sql } from 'postgres';
import { PlanOutdated } from './errors.ts';
import type { PostgresRoute } from './route.ts';
import { KEPT_SETTINGS, sessionSettings } from './session-settings.ts';
import type { PostgresSource } from './source.ts';
import type { PostgresTarget } from './url.ts';

/** Where Postgres is, and the limits of each connection to it. */
export interface ConnectionOptions {
  /** The URL, or a client of the driver. */
  readonly url: PostgresSource;
  /** How long a statement may take at Postgres, in milliseconds; 0 for no limit. */
  readonly statementTimeoutMs: number;
  /** The route to its hosts; a new one when it is left out. Connections that share a route share what it knows about the hosts. */
  readonly route?: PostgresRoute;
}

/** date, time, timestamp and timestamptz. The driver would make a Date, which has no microseconds. */
const AS_TEXT = {
  to: 1184,
  from: [1082, 1083, 1114, 1184],
  serialize: (text: string) => text,
  parse: (text: string) => text,
};

/** Parameters travel as SQL text, in which the driver would not recognise a boolean, json or bytes. */
const AS_GIVEN = {
  boolean: { to: 16, from: [16], serialize: String, parse: (text: string) => text === 't' },
  json: { to: 114, from: [114, 3802], serialize: String, parse: (text: string): unknown => JSON.parse(text) },
  bytea: {
    to: 17,
    from: [17],
    serialize: (value: string | Uint8Array) =>
      typeof value === 'string' ? value : `\\x${Buffer.from(value).toString('hex')}`,
    parse: (text: string) => Buffer.from(text.slice(2), 'hex'),
  },
};

/**
 * Makes the driver's options for every client. Larder opens the sockets itself (route.ts), so the driver is not told the hosts and TLS of
 * the URL.
 *
 * @param target the parts of the URL
 * @param statementTimeoutMs how long a statement may take, in milliseconds; 0 for no limit
 * @param password the password of the socket that the driver was given
 * @returns the options
 */
export function driverOptions(target: PostgresTarget, statementTimeoutMs: number, password: () => string) {
  return {
    user: target.user,
    pass: password,
    database: target.database,
    // Only for the driver's messages.
    host: 'Postgres',
    ssl: false as const,
    prepare: target.prepare,
    // Larder writes arrays as text literals, so the driver need not ask for their types on each new connection.
    fetch_types: false,
    connect_timeout: 5,
    keep_alive: target.keepAliveSeconds ?? 10,
    onnotice: () => {},
    types: { ...AS_GIVEN, time: AS_TEXT },
    connection: {
      application_name: 'larder',
      // Of a setting that comes twice, such as TimeZone and timezone, Postgres takes the last.
      ...target.settings,
      ...KEPT_SETTINGS,
      // Poolers refuse settings that they cannot keep.
      ...(target.pooled ? {} : sessionSettings(statementTimeoutMs)),
    },
  };
}

/**
 * The options of a query. The driver (postgres.js 3.4.9) reads them each time that it sends the query. Only so can Larder notice that the
 * driver sends a query again because its plan is outdated.
 */
export class SentOnce {
  readonly simple: boolean;
  readonly #prepare: boolean;
  readonly #onAgain: () => void;
  #sent = false;

  /**
   * @param simple whether it is a command without parameters
   * @param prepare whether it is prepared, that is planned once for a connection
   * @param onAgain told when it is sent again
   */
  constructor(simple: boolean, prepare: boolean, onAgain: () => void) {
    this.simple = simple;
    this.#prepare = prepare;
    this.#onAgain = onAgain;
  }

  /** The driver reads it each time that it sends the query. */
  get prepare(): boolean {
    if (this.#sent) this.#onAgain();
    this.#sent = true;
    return this.#prepare;
  }
}

/**
 * Has the driver send a query.
 *
 * @param client the driver's client
 * @param text the query
 * @param parameters its parameters as SQL text
 * @param sent how it is sent
 * @param asLists whether each row is a list of its values, instead of an object
 * @returns the driver's query, which is sent when it is waited for
 */
export function ask<Row extends object>(
  client: Sql,
  text: string,
  parameters: readonly unknown[],
  sent: SentOnce,
  asLists: boolean,
): PendingQuery<Row[]> {
  // The driver's type for parameters lists JavaScript types.
  const query = client.unsafe<Row[]>(text, parameters as never[]);
  Object.assign(query, { options: sent });
  if (asLists) query.values();
  return query;
}

/** How often it is tried, since one change of a table may follow another. */
const ATTEMPTS = 3;

/**
 * Runs an attempt, and runs it again when a plan was outdated. The connections with that plan are gone by then.
 *
 * @param attempt leaves nothing behind when it fails so
 * @returns what it returns
 * @throws what it throws
 */
export async function planAnew<T>(attempt: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PlanOutdated) || n === ATTEMPTS) throw error;
    }
  }
}

/**
 * @param result the driver's result
 * @returns whether Postgres completed the statement: when a connection closes, the driver may answer with an incomplete result
 */
export function isComplete({ command }: { readonly command: string | null }): boolean {
  return command !== null;
}

/**
 * Takes the rows out of the driver's result. The result stays in memory until the next collection of the whole heap. The reason is that the
 * driver assigns two closures to properties of each query (`this.resolve = x => ...`). V8 allocates these in the old space, and they hold
 * the query with its result. Without the rows, such collections are much rarer.
 *
 * After a statement that failed amid its rows, the driver numbers the next one's rows from where it had stopped. That leaves holes.
 *
 * @param result the driver's result, which is empty afterwards
 * @returns its rows
 */
export function takeRows<Row extends object>(result: RowList<Row[]>): Row[] {
  const rows = result.count === null || result.length === result.count ? [...result] : result.filter(() => true);
  result.length = 0;
  return rows;
}

/** What the driver says of a result beside its rows. */
const FACTS = ['count', 'command', 'columns', 'statement', 'state'] as const;

/**
 * Like `takeRows`, for whoever reads of the result what the driver promises beside the rows, such as how many were written.
 *
 * @param result the driver's result, which is empty afterwards
 * @returns its rows, with properties that are not enumerable, as the driver's are not
 */
export function takeResult<Row extends object>(result: RowList<Row[]>): Row[] {
  const facts = FACTS.map((fact) => [fact, { value: result[fact], writable: true }] as const);
  return Object.defineProperties(takeRows(result), Object.fromEntries(facts));
}
