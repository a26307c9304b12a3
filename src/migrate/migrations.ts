import type postgres from 'postgres';
import { qualified } from '../postgres/sql-type.ts';

/** One step from an older database to a newer one. */
export interface Migration {
  /** Its name, for messages. */
  readonly name: string;
  /** Its key in the journal. */
  readonly key: string;
  /** The SHA-256 of its text. */
  readonly hash: string;
  readonly statements: readonly string[];
}

/** Where migrations make their tables, and where drizzle-kit's are recorded. */
export interface Place {
  /** The first schema of the search path. */
  readonly schema: string;
  /**
   * The journal's schema. It is Drizzle's own for `public`. Elsewhere each schema has its own, so a database may have the same tables
   * several times.
   */
  readonly journal: string;
}

/** Migrations that belong together, and the journal that records which of them a database has. */
export interface Migrations {
  /** In the order in which they are applied. */
  readonly all: readonly Migration[];
  /**
   * Reads the journal. It writes nothing.
   *
   * @param sql a connection
   * @param place where the tables and the journal are
   * @returns the hash of each migration that was applied, by its key
   */
  applied(sql: Sql, place: Place): Promise<Map<string, string>>;
  /**
   * Makes the journal, unless it is there.
   *
   * @param sql the transaction
   * @param place where the tables and the journal are
   */
  prepare(sql: Sql, place: Place): Promise<void>;
  /**
   * Records that a migration was applied.
   *
   * @param sql the transaction
   * @param place where the tables and the journal are
   * @param migration which
   */
  record(sql: Sql, place: Place, migration: Migration): Promise<void>;
  /**
   * What to do when a migration would make what is there already. Absent where there is nothing more to say.
   *
   * @param place where the tables and the journal are
   * @returns the advice, in lines; empty where there is none
   */
  adviceWhenThere?(place: Place): string;
}

/** A connection, in a transaction or not. */
export type Sql = postgres.ISql;

/**
 * @param sql a connection
 * @param schema a schema
 * @param table a table of it
 * @returns whether it is there
 */
export async function hasTable(sql: Sql, schema: string, table: string): Promise<boolean> {
  const [row] = await sql<[{ there: boolean }]>`
    select to_regclass(format('%I.%I', ${schema}::text, ${table}::text)) is not null as there`;
  return row.there;
}

/**
 * @param sql a connection
 * @param schema a schema
 * @param table a table of it
 * @returns both as part of a statement. The driver's own quoting takes a dot in a name for the end of the name.
 */
export function tableIn(sql: Sql, schema: string, table: string) {
  return sql.unsafe(qualified(schema, table));
}

/**
 * Makes a schema unless it is there. Postgres asks for the right to make schemas before it looks whether there is one.
 *
 * @param sql the transaction
 * @param schema the schema
 */
export async function makeSchema(sql: Sql, schema: string): Promise<void> {
  const [there] = await sql`select from pg_namespace where nspname = ${schema}`;
  if (there === undefined) await sql`create schema if not exists ${sql.unsafe(qualified(undefined, schema))}`;
}

const BREAKPOINT = '--> statement-breakpoint';

/**
 * @param text the text of a migration
 * @returns its statements; one of them may be several, which no breakpoint separates
 */
export function statementsOf(text: string): string[] {
  return text
    .split(BREAKPOINT)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
