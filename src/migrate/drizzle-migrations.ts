import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { hasTable, type Migrations } from './migrations.ts';

/**
 * The migrations that drizzle-kit has generated. They are recorded where Drizzle's own migrator records them, so both may be used on one
 * database.
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
      if (!(await hasTable(sql, journal, '__drizzle_migrations'))) return new Map();
      const rows = await sql<{ hash: string; created_at: string }[]>`
        select hash, created_at::text as created_at from ${sql(journal)}.__drizzle_migrations`;
      return new Map(rows.map((row) => [row.created_at, row.hash]));
    },
    prepare: async (sql, { journal }) => {
      if (journal === 'drizzle') await sql`create schema if not exists drizzle`;
      await sql`
        create table if not exists ${sql(journal)}.__drizzle_migrations
          (id serial primary key, hash text not null, created_at bigint)`;
    },
    record: async (sql, { journal }, { key, hash }) => {
      await sql`insert into ${sql(journal)}.__drizzle_migrations (hash, created_at) values (${hash}, ${key})`;
    },
  };
}
