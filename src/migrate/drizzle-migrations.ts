import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { qualified } from '../postgres/sql-type.ts';
import { hasTable, type Migrations, makeSchema, tableIn } from './migrations.ts';

const JOURNAL = '__drizzle_migrations';

const COLUMNS = '(id serial primary key, hash text not null, created_at bigint)';

/**
 * The migrations that drizzle-kit has generated. In `public`, they are recorded where Drizzle's own migrator records them by default, so both
 * may be used on one database. Elsewhere, Drizzle has to be told the schema.
 *
 * @param folder where the migrations and their journal are
 * @returns the migrations
 * @throws when the folder has none
 */
export function drizzleMigrations(folder: string): Migrations {
  const journal = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: readonly { readonly tag: string }[];
  };
  return {
    all: readMigrationFiles({ migrationsFolder: folder }).map((file, i) => ({
      name: journal.entries[i]?.tag ?? String(file.folderMillis),
      // The time when it was generated, in milliseconds since 1970.
      key: String(file.folderMillis),
      hash: file.hash,
      statements: file.sql.map((statement) => statement.trim()).filter((statement) => statement !== ''),
    })),
    applied: async (sql, { journal }) => {
      if (!(await hasTable(sql, journal, JOURNAL))) return new Map();
      const rows = await sql<{ hash: string; created_at: string }[]>`
        select hash, created_at::text as created_at from ${tableIn(sql, journal, JOURNAL)}`;
      return new Map(rows.map((row) => [row.created_at, row.hash]));
    },
    prepare: async (sql, { journal }) => {
      if (journal === 'drizzle') await makeSchema(sql, journal);
      await sql`create table if not exists ${tableIn(sql, journal, JOURNAL)} ${sql.unsafe(COLUMNS)}`;
    },
    record: async (sql, { journal }, { key, hash }) => {
      await sql`insert into ${tableIn(sql, journal, JOURNAL)} (hash, created_at) values (${hash}, ${key})`;
    },
    adviceWhenThere: ({ journal }) => (journal === 'drizzle' ? '' : adviceOutsidePublic(journal)),
  };
}

/** What to do where Drizzle's migrator has applied what Larder has not recorded. */
function adviceOutsidePublic(schema: string): string {
  const table = qualified(schema, JOURNAL);
  return `
If Drizzle's migrator has applied it to this schema: it records in its own schema, and Larder in the one that it migrates. Copy the record:

    create table if not exists ${table} ${COLUMNS};
    insert into ${table} (hash, created_at) select hash, created_at from drizzle.${JOURNAL} order by id;

From then on, tell Drizzle the schema, too: migrations: { schema: '${schema}' } in drizzle.config.ts, or migrationsSchema of its migrate().`;
}
