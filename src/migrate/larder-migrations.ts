import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasTable, type Migrations, type Place, type Sql, statementsOf } from './migrations.ts';

/** The table that records which of these migrations a database has. It stands beside the outbox. */
const JOURNAL = 'cache_migrations';

const FOLDER = fileURLToPath(new URL('sql', import.meta.url));

/** The keys under which drizzle-kit recorded the first migrations, when they stood among those of the campaigns' tables. */
const FORMER_KEYS: Readonly<Record<string, string>> = {
  '0001_cache_outbox': '1795374396992',
  '0002_cache_outbox_triggers': '1795374398353',
  '0003_cache_domains': '1795867268608',
};

/** @returns Larder's own migrations: the outbox, its triggers, and a journal beside it */
export function larderMigrations(): Migrations {
  const all = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(FOLDER, file), 'utf8');
      const key = file.slice(0, -'.sql'.length);
      const hash = createHash('sha256').update(text).digest('hex');
      return { name: `larder/${key}`, key, hash, statements: statementsOf(text) };
    });
  return {
    all,
    applied: async (sql, place) => {
      if (await hasTable(sql, place.schema, JOURNAL)) {
        const rows = await sql<{ key: string; hash: string }[]>`
          select key, hash from ${sql(place.schema)}.${sql(JOURNAL)}`;
        if (rows.length > 0) return new Map(rows.map(({ key, hash }) => [key, hash]));
      }
      const former = await formerlyApplied(sql, place);
      return new Map(all.filter(({ key }) => former.has(FORMER_KEYS[key] ?? '')).map(({ key, hash }) => [key, hash]));
    },
    async prepare(sql, place) {
      const applied = await this.applied(sql, place);
      await sql`
        create table if not exists ${sql(place.schema)}.${sql(JOURNAL)}
          (key text primary key, hash text not null, applied_at timestamptz not null default now())`;
      for (const [key, hash] of applied) {
        await sql`insert into ${sql(place.schema)}.${sql(JOURNAL)} values (${key}, ${hash}) on conflict do nothing`;
      }
    },
    record: async (sql, { schema }, { key, hash }) => {
      await sql`insert into ${sql(schema)}.${sql(JOURNAL)} values (${key}, ${hash})`;
    },
  };
}

/** The keys in drizzle-kit's journal; none where there is no such journal. */
async function formerlyApplied(sql: Sql, { journal }: Place): Promise<Set<string>> {
  if (!(await hasTable(sql, journal, '__drizzle_migrations'))) return new Set();
  const rows = await sql<{ key: string }[]>`
    select created_at::text as key from ${sql(journal)}.__drizzle_migrations`;
  return new Set(rows.map(({ key }) => key));
}
