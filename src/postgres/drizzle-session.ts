import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { Column, Sql } from 'postgres';
import type { Trace } from '../trace/trace.ts';
import { readArrays } from './array-columns.ts';
import type { Send } from './client.ts';
import { takeResult } from './driver.ts';
import { DatabaseUnavailable, databaseError } from './errors.ts';
import { sqlText } from './value-text.ts';

/** A transaction, as users of Drizzle know it. */
export type DrizzleTransaction = PostgresJsDatabase;

/** A transaction that Drizzle may use until it is over. */
export interface DrizzleSession {
  readonly transaction: DrizzleTransaction;
  /** Refuses all further statements, since another transaction may use the connection. */
  end(): void;
}

/**
 * Makes Drizzle use a connection of Larder's, on which a transaction is open. The driver's own `begin` would use a client that goes on
 * after failures (see Connection). Drizzle uses only the four members of the driver that are made here.
 *
 * @param send sends a statement of the transaction
 * @param name the name of its statements in metrics
 * @param trace the request's trace, which counts them
 * @returns the transaction; one within it is a savepoint
 */
export function drizzleSession(send: Send, name: string, trace: Trace): DrizzleSession {
  let over = false;
  let savepoints = 0;
  const ask = async (text: string, parameters: readonly unknown[] = [], asLists = false, prepared = false) => {
    if (over) throw new DatabaseUnavailable(`${name} is over: await each statement inside of it.`);
    const started = trace.clock.now();
    let count: number | null = null;
    let columns: readonly Column<string>[] = [];
    try {
      // Larder's connections do not know the types of arrays.
      const values = parameters.map((value) => (Array.isArray(value) ? sqlText(value) : value));
      const rows = await send<object>(text, values, asLists, prepared, (result) => {
        // A command has none, whatever the driver's type says.
        columns = result.columns ?? [];
        return takeResult(result);
      });
      count = rows.length;
      readArrays(rows, columns, asLists);
      return rows;
    } catch (error) {
      throw databaseError(error);
    } finally {
      trace.statement(name, text, parameters, started, count);
    }
  };
  const savepoint = async (work: (client: object) => Promise<unknown>) => {
    savepoints += 1;
    const point = `larder_${savepoints}`;
    await ask(`savepoint ${point}`);
    try {
      const done = await work(client);
      await ask(`release savepoint ${point}`);
      return done;
    } catch (error) {
      await ask(`rollback to savepoint ${point}`);
      throw error;
    }
  };
  const client = {
    options: { parsers: {}, serializers: {} },
    // Drizzle has those prepared that its `prepare` has named. Others may be another text each time, and Postgres would keep the plan of each.
    unsafe: (text: string, parameters: readonly unknown[] = [], { prepare = false } = {}) => {
      let rows: Promise<object[]> | null = null;
      const asked = () => {
        rows ??= ask(text, parameters, false, prepare);
        return rows;
      };
      return {
        values: () => ask(text, parameters, true, prepare),
        // biome-ignore lint/suspicious/noThenProperty: the driver sends a query when it is awaited, unless `values` was called before.
        then: (...handlers: Parameters<Promise<object[]>['then']>) => asked().then(...handlers),
      };
    },
    begin: savepoint,
    savepoint,
  };
  return {
    transaction: drizzle(client as unknown as Sql),
    end: () => {
      over = true;
    },
  };
}
