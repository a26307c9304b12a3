import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import postgres, { type TransactionSql } from 'postgres';
import { openDatabase } from './client.ts';
import {
  LOCK_NOT_AVAILABLE,
  LOCK_WAIT_MS,
  LockTaken,
  type MigrateOptions,
  MigrationError,
  withLocks,
} from './migration-locks.ts';

/** `src/postgres` and `dist/postgres` lie equally deep, so this is the same folder from the source and from the build. */
export const OUR_MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** One number that every Larder process agrees on: the advisory lock that a migration holds ("larder" in ASCII). */
const LOCK = '119182805820786';

export { MigrationError };

interface Migration {
  readonly name: string;
  /** Drizzle's key of a migration: the time it was generated, in milliseconds. */
  readonly when: string;
  readonly hash: string;
  readonly statements: readonly string[];
}

/**
 * Brings a database up to date. All pending migrations run in one transaction, so the database is left either current or
 * as it was. Two processes may call this at once: the second waits and then finds nothing to do.
 *
 * Drizzle's own migrator neither names the failing statement's migration nor keeps two processes apart, and it skips a
 * migration that was generated before the last one applied, as merging two branches brings about. What it applied and what
 * this function applied are recorded alike, so both may be used on one database.
 *
 * @param url the address of the database
 * @param log receives one line for each migration applied, and one when there is nothing to do
 * @param folder where the migrations and their journal are; Larder's own by default
 * @param options how patient to be with others' locks
 * @throws {MigrationError} when a statement fails, or when an applied migration was edited afterwards
 */
export async function migrateDatabase(
  url: string,
  log: (line: string) => void,
  folder: string = OUR_MIGRATIONS,
  options: MigrateOptions = {},
): Promise<void> {
  const migrations = readMigrations(folder);
  const database = openDatabase({ url, poolSize: 1, statementTimeoutMs: 0 });
  try {
    const pending = await withLocks(log, options, () =>
      database.client.begin(async (sql) => {
        await takeTurn(sql, log);
        const place = await placeOf(sql);
        const applied = await readApplied(sql, place);
        const pending = migrations.filter((migration) => isPending(migration, applied));
        await sql`select set_config('lock_timeout', ${String(LOCK_WAIT_MS)}, true)`;
        for (const migration of pending) await apply(sql, place, migration);
        return pending;
      }),
    );
    // Only now is it true.
    for (const { name } of pending) log(`applied ${name}`);
    if (pending.length === 0) log('The database is up to date: nothing to migrate.');
  } finally {
    await database.close();
  }
}

function readMigrations(folder: string): Migration[] {
  const journal = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: readonly { readonly tag: string }[];
  };
  return readMigrationFiles({ migrationsFolder: folder }).map((file, i) => ({
    name: journal.entries[i]?.tag ?? String(file.folderMillis),
    when: String(file.folderMillis),
    hash: file.hash,
    statements: file.sql.map((statement) => statement.trim()).filter((statement) => statement !== ''),
  }));
}

/** Holds the lock until the transaction ends, so it cannot outlive a process that is killed. */
async function takeTurn(sql: TransactionSql, log: (line: string) => void): Promise<void> {
  const [row] = await sql<[{ taken: boolean }]>`select pg_try_advisory_xact_lock(${LOCK}) as taken`;
  if (row.taken) return;
  log('Waiting for another process that is migrating this database.');
  await sql`select pg_advisory_xact_lock(${LOCK})`;
}

/** Where a migration makes its tables, and where it is written down. */
interface Place {
  /** The first schema of the search path. */
  readonly schema: string;
  /** Drizzle's own for `public`; elsewhere each schema has its own, so that a database may have Larder's tables several times. */
  readonly journal: string;
}

async function placeOf(sql: TransactionSql): Promise<Place> {
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

async function readApplied(sql: TransactionSql, { journal }: Place): Promise<Map<string, string>> {
  if (journal === 'drizzle') await sql`create schema if not exists drizzle`;
  await sql`
    create table if not exists ${sql(journal)}.__drizzle_migrations
      (id serial primary key, hash text not null, created_at bigint)`;
  const rows = await sql<{ hash: string; created_at: string }[]>`
    select hash, created_at::text as created_at from ${sql(journal)}.__drizzle_migrations`;
  return new Map(rows.map((row) => [row.created_at, row.hash]));
}

function isPending(migration: Migration, applied: Map<string, string>): boolean {
  const hash = applied.get(migration.when);
  if (hash !== undefined && hash !== migration.hash) {
    throw new MigrationError(
      `${migration.name} was edited after it was applied to this database, so the two no longer agree.\n` +
        'Undo the edit and put the change into a new migration, or start again with an empty database.',
    );
  }
  return hash === undefined;
}

async function apply(sql: TransactionSql, { schema, journal }: Place, migration: Migration): Promise<void> {
  for (const [i, statement] of migration.statements.entries()) {
    try {
      // The simple protocol: a migration written by hand may hold several statements between two breakpoints.
      await sql.unsafe(schema === 'public' ? statement : withoutPublic(statement)).simple();
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      if (error.code === LOCK_NOT_AVAILABLE) {
        throw new LockTaken(`${migration.name} did not get a lock within ${LOCK_WAIT_MS} ms at statement ${i + 1}`);
      }
      throw new MigrationError(
        `${migration.name} failed at statement ${i + 1} of ${migration.statements.length}:\n\n${indent(statement)}\n\n` +
          `Postgres says: ${describe(error)}\nAll of it was rolled back. Correct the cause, then migrate again.`,
        { cause: error },
      );
    }
  }
  await sql`insert into ${sql(journal)}.__drizzle_migrations (hash, created_at) values (${migration.hash}, ${migration.when})`;
}

/**
 * drizzle-kit writes `"public".` before what foreign keys and types refer to, and nothing before what it creates: in another schema, a
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
