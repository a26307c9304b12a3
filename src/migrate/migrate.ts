import postgres, { type TransactionSql } from 'postgres';
import type { Clock } from '../clock.ts';
import { connectPostgres } from '../postgres/client.ts';
import type { PostgresClient } from '../postgres/source.ts';
import { drizzleMigrations } from './drizzle-migrations.ts';
import { larderMigrations } from './larder-migrations.ts';
import { DEADLOCK, LOCK_NOT_AVAILABLE, LOCK_WAIT_MS, LockTaken, MigrationError, withLocks } from './locks.ts';
import { type Migration, type Migrations, makeSchema, type Place, type Sql } from './migrations.ts';
import { checkPostgresVersion } from './oldest-postgres.ts';

/** The advisory lock that a migration holds. Every Larder process uses this number: "larder" in ASCII. */
const LOCK = '119182805820786';

/** Postgres' codes for a table, type or another object that is there already. */
const THERE_ALREADY = ['42P07', '42710'];

/** What `migrate` is told. */
export interface MigrateOptions {
  /**
   * Where Postgres is: an address, or a client of postgres.js that knows it. The role must own what it alters. It must be allowed to make
   * tables and functions in the schema.
   */
  readonly postgres:
    | { readonly url: string; readonly client?: never }
    | { readonly client: PostgresClient; readonly url?: never };
  /**
   * The schema for the outbox; the first of the search path when it is left out. It is made when it is not there. Servers must then have it
   * in their search path, too (`options=-c search_path=…` in their URL).
   */
  readonly schema?: string;
  /** A folder of migrations of one's own, as drizzle-kit generates them. They follow Larder's, in the same transaction. */
  readonly migrations?: string;
  /** Receives one line for each migration applied, and one when there is nothing to do. */
  readonly log?: (line: string) => void;
  /** How often it is tried while others hold locks; 40 when it is left out. A pause of 2 s follows each try. */
  readonly tries?: number;
  /** The time; the machine's when it is left out. */
  readonly clock?: Clock;
}

/**
 * Brings a database up to date. All pending migrations run in one transaction, so the database is left either current or as it was. Several
 * processes may call it at once: the second waits, and then finds nothing to do.
 *
 * Drizzle's own migrator does not name the migration whose statement failed. It does not keep two processes apart. It skips a migration
 * that was generated before the last one applied, which merging two branches brings about. Both record alike what they applied, so both may
 * be used on one database. In another schema than `public`, Drizzle's must be told to record there.
 *
 * @param options where Postgres is, and which migrations follow Larder's own
 * @throws {MigrationError} when a statement fails, an applied migration was edited afterwards, or Postgres is too old
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { log = () => {}, schema, migrations } = options;
  const [own, ...others] = setsOf(migrations);
  const database = connectPostgres(options.postgres.client ?? options.postgres.url);
  try {
    const pending = await withLocks(log, options, () =>
      database.client.begin(async (sql) => {
        await checkPostgresVersion(sql);
        await takeTurn(sql, log);
        // Behind a pooler, the role's limits hold unless the transaction says otherwise.
        await sql`select set_config(name, '0', true)
          from unnest(array['statement_timeout', 'idle_in_transaction_session_timeout']) name`;
        await sql`select set_config('lock_timeout', ${String(LOCK_WAIT_MS)}, true)`;
        const [path] = await sql<[{ now: string }]>`select current_setting('search_path') as now`;
        if (schema !== undefined) {
          await makeSchema(sql, schema);
          await sql`select set_config('search_path', quote_ident(${schema}) || ', ' || ${path.now}, true)`;
        }
        const first = await applyPending(sql, own);
        if (schema !== undefined) {
          await sql`select set_config('search_path', ${path.now} || ', ' || quote_ident(${schema}), true)`;
        }
        const rest: Migration[] = [];
        for (const migrations of others) rest.push(...(await applyPending(sql, migrations)));
        return [...first, ...rest];
      }),
    );
    // Nothing is applied before the transaction commits.
    for (const { name } of pending) log(`applied ${name}`);
    if (pending.length === 0) log('The database is up to date: nothing to migrate.');
  } finally {
    await database.close();
  }
}

/**
 * Tells whether `migrate` would find nothing to do. It writes nothing.
 *
 * @param options where Postgres is, and which migrations follow Larder's own
 * @returns whether all migrations are applied
 * @throws {MigrationError} when an applied migration was edited afterwards
 */
export async function isMigrated({ postgres: { client, url }, migrations }: MigrateOptions): Promise<boolean> {
  const database = connectPostgres(client ?? url);
  try {
    const sql = database.client;
    const place = await placeOf(sql);
    for (const set of setsOf(migrations)) if ((await pendingOf(sql, place, set)).length > 0) return false;
    return true;
  } finally {
    await database.close();
  }
}

/** Larder's own migrations, then those of a folder. */
function setsOf(folder: string | undefined): [Migrations, ...Migrations[]] {
  return [larderMigrations(), ...(folder === undefined ? [] : [drizzleMigrations(folder)])];
}

async function applyPending(sql: TransactionSql, migrations: Migrations): Promise<Migration[]> {
  const place = await placeOf(sql);
  await migrations.prepare(sql, place);
  const pending = await pendingOf(sql, place, migrations);
  for (const migration of pending) {
    await apply(sql, place, migration, migrations.adviceWhenThere?.(place) ?? '');
    await migrations.record(sql, place, migration);
  }
  return pending;
}

async function pendingOf(sql: Sql, place: Place, migrations: Migrations): Promise<Migration[]> {
  const applied = await migrations.applied(sql, place);
  return migrations.all.filter((migration) => isPending(migration, applied));
}

/** Holds the lock until the transaction ends, so the lock cannot outlive a process that is killed. */
async function takeTurn(sql: TransactionSql, log: (line: string) => void): Promise<void> {
  const [row] = await sql<[{ taken: boolean }]>`select pg_try_advisory_xact_lock(${LOCK}) as taken`;
  if (row.taken) return;
  log('Waiting for another process that is migrating this database.');
  await sql`select pg_advisory_xact_lock(${LOCK})`;
}

async function placeOf(sql: Sql): Promise<Place> {
  const [row] = await sql<[{ schema: string | null; path: string }]>`
    select current_schema() as schema, current_setting('search_path') as path`;
  const { schema, path } = row;
  if (schema === null) {
    throw new MigrationError(
      `No schema of the search path (${path}) is there. Create it first: psql "$DATABASE_URL" -c 'create schema …'`,
    );
  }
  return { schema, journal: schema === 'public' ? 'drizzle' : schema };
}

function isPending(migration: Migration, applied: Map<string, string>): boolean {
  const hash = applied.get(migration.key);
  if (hash !== undefined && hash !== migration.hash) {
    throw new MigrationError(
      `${migration.name} was edited after it was applied to this database, so the two no longer agree.\n` +
        'Undo the edit and put the change into a new migration, or start again with an empty database.',
    );
  }
  return hash === undefined;
}

async function apply(
  sql: TransactionSql,
  { schema }: Place,
  migration: Migration,
  adviceWhenThere: string,
): Promise<void> {
  for (const [i, statement] of migration.statements.entries()) {
    try {
      // The simple protocol takes several statements at once. A migration written by hand may have several between two breakpoints.
      await sql.unsafe(schema === 'public' ? statement : withoutPublic(statement)).simple();
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      if (error.code === LOCK_NOT_AVAILABLE || error.code === DEADLOCK) {
        throw new LockTaken(`${migration.name} did not get a lock within ${LOCK_WAIT_MS} ms at statement ${i + 1}`);
      }
      throw new MigrationError(
        `${migration.name} failed at statement ${i + 1} of ${migration.statements.length}:\n\n${indent(statement)}\n\n` +
          `Postgres says: ${describe(error)}\nAll of it was rolled back. Correct the cause, then migrate again.${
            THERE_ALREADY.includes(error.code) ? adviceWhenThere : ''
          }`,
        { cause: error },
      );
    }
  }
}

/**
 * drizzle-kit writes `"public".` before what foreign keys and types refer to, and nothing before what it creates. In another schema, a
 * table would refer to one that is not its own.
 */
function withoutPublic(statement: string): string {
  return statement.replaceAll('"public".', '');
}

function describe(error: postgres.PostgresError): string {
  const more = [error.detail, error.hint].filter((text) => text !== undefined && text !== '');
  return [`${error.message} (${error.code})`, ...more].join('\n');
}

function indent(statement: string): string {
  return statement.replaceAll(/^/gm, '    ');
}
