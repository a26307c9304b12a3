import type postgres from 'postgres';

/** One step from an older database to a newer one. */
export interface Migration {
  /** What it is called when something is said of it. */
  readonly name: string;
  /** What it is known by where it is written down. */
  readonly key: string;
  /** The SHA-256 of its text. */
  readonly hash: string;
  readonly statements: readonly string[];
}

/** Where migrations make their tables, and where drizzle-kit's are written down. */
export interface Place {
  /** The first schema of the search path. */
  readonly schema: string;
  /** Drizzle's own for `public`; elsewhere each schema has its own, so that a database may have the same tables several times. */
  readonly journal: string;
}

/** Migrations that belong together, and where it is written down which of them a database has. */
export interface Migrations {
  /** In the order in which they are applied. */
  readonly all: readonly Migration[];
  /**
   * @param sql a connection; nothing is written
   * @param place where
   * @returns the hash of each migration that was applied, by its key
   */
  applied(sql: Sql, place: Place): Promise<Map<string, string>>;
  /**
   * Makes what `record` writes to, unless it is there.
   *
   * @param sql the transaction
   * @param place where
   */
  prepare(sql: Sql, place: Place): Promise<void>;
  /** Writes down that a migration was applied. */
  record(sql: Sql, place: Place, migration: Migration): Promise<void>;
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

const BREAKPOINT = '--> statement-breakpoint';

/**
 * @param text the text of a migration
 * @returns its statements; between two breakpoints there may be several
 */
export function statementsOf(text: string): string[] {
  return text
    .split(BREAKPOINT)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
