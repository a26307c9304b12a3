import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasTable, type Migrations, type Place, type Sql, statementsOf, tableIn } from './migrations.ts';

/** The table that records which of these migrations a database has. It stands beside the outbox. */
const JOURNAL = 'cache_migrations';

const FOLDER = fileURLToPath(new URL('sql', import.meta.url));

/** The keys under which drizzle-kit recorded the first migrations, when they stood among those of the campaigns' tables. */
const FORMER_KEYS: Readonly<Record<string, string>> = {
  '0001_cache_outbox': '1795374396992',
  '0002_cache_outbox_triggers': '1795374398353',
  '0003_cache_domains': '1795867268608',
};

/**
 * The hashes under which migrations are recorded whose text was corrected later. Where the former text could run, it did the same, so
 * both versions of Larder may be used on one database.
 */
const FORMER_HASHES: Readonly<Record<string, string>> = {
  // It could not run in a schema whose name is quoted.
  '0005_temporary_tables': '47b9bd8e81f1f4a555a8e0fad5611d5a8402ab5a9414e524e6035b255feb75aa',
};

/** @returns Larder's own migrations: the outbox, its triggers, and a journal beside it */
export function larderMigrations(): Migrations {
  const all = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(FOLDER, file), 'utf8');
      const key = file.slice(0, -'.sql'.length);
      const hash = FORMER_HASHES[key] ?? createHash('sha256').update(text).digest('hex');
      return { name: `larder/${key}`, key, hash, statements: statementsOf(text) };
    });
  return {
    all,
    applied: async (sql, place) => {
      if (await hasTable(sql, place.schema, JOURNAL)) {
        const rows = await sql<{ key: string; hash: string }[]>`
          select key, hash from ${tableIn(sql, place.schema, JOURNAL)}`;
        if (rows.length > 0) return new Map(rows.map(({ key, hash }) => [key, hash]));
      }
      const former = await formerlyApplied(sql, place);
      return new Map(all.filter(({ key }) => former.has(FORMER_KEYS[key] ?? '')).map(({ key, hash }) => [key, hash]));
    },
    async prepare(sql, place) {
      const applied = await this.applied(sql, place);
      await sql`
        create table if not exists ${tableIn(sql, place.schema, JOURNAL)}
          (key text primary key, hash text not null, applied_at timestamptz not null default now())`;
      for (const [key, hash] of applied) {
        await sql`insert into ${tableIn(sql, place.schema, JOURNAL)} values (${key}, ${hash}) on conflict do nothing`;
      }
    },
    record: async (sql, { schema }, { key, hash }) => {
      await sql`insert into ${tableIn(sql, schema, JOURNAL)} values (${key}, ${hash})`;
    },
  };
}

/** The keys in drizzle-kit's journal; none where there is no such journal. */
async function formerlyApplied(sql: Sql, { schema, journal }: Place): Promise<Set<string>> {
  // Where no outbox is, the journal may be of others, who need not let it be read.
  if (!(await hasTable(sql, schema, 'cache_outbox'))) return new Set();
  if (!(await hasTable(sql, journal, '__drizzle_migrations'))) return new Set();
  const rows = await sql<{ key: string }[]>`
    select created_at::text as key from ${tableIn(sql, journal, '__drizzle_migrations')}`;
  return new Set(rows.map(({ key }) => key));
}
