import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { sayCached } from '../../src/commands/cached.ts';
import { runCommand } from '../../src/commands/command.ts';
import { createLarder, entity } from '../../src/index.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { openRedis, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const birds = pgTable('birds', { id: integer('id').primaryKey(), name: text('name').notNull() });

for (const [what, unwatched] of [
  ['is declared unwatched', true],
  ['has no triggers', false],
] as const) {
  t.test(`of an entity that ${what}, reads by id use only what has the version of the row`, async (t) => {
    const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
    const sql = openSql(t, database);
    await sql`create table birds (id int primary key, name text not null)`;
    await sql`insert into birds values (-7, 'seven')`;
    const larder = await createLarder({
      entities: { Bird: entity(birds, { unwatched }) },
      postgres: { url: database.url },
      redis: { url: redis.url, timeoutMs: REDIS_PATIENCE_MS },
      cache: { memoryMaxEntries: 0 },
      logger: { info: () => {}, warn: () => {} },
    });
    t.teardown(() => larder.close());
    const show = async () => {
      const lines: string[] = [];
      await sayCached(larder.stores, larder.entities, ['Bird', '-7'], (line) => lines.push(line));
      return lines;
    };
    const first = 'by id     reads ask Postgres for the version first, since no trigger notes changes, and';
    await until('Redis has it', async () => {
      await larder.repositories.Bird.findById('-7');
      return (await show()).some((line) => /^cached {4}version/.test(line));
    });
    t.ok((await show()).includes(`${first} use it`));
    await sql`update birds set name = 'other'`;
    t.ok((await show()).includes(`${first} do not use it: the row has another version`));
    await sql`delete from birds`;
    const client = openRedis(t, redis);
    const held = JSON.parse((await client.get('Bird--7')) ?? '');
    await client.set('Bird--7', JSON.stringify({ ...held, version: null, entity: null }), 'EX', 600);
    const none = await show();
    t.ok(none.includes(`${first} do not use it`), none.join('\n'));
  });
}

t.test('an id below zero is no option', async (t) => {
  const words: (readonly string[])[] = [];
  const options = { out: { type: 'string' } } as const;
  const told = async (...args: string[]) => {
    await runCommand({ help: '', options, errors: [], run: async (_values, given) => void words.push(given) }, args);
    return words.at(-1);
  };
  t.same(await told('--out', 'x', 'Artwork', '-7'), ['Artwork', '-7']);
  t.same(await told('Artwork', '-7,north'), ['Artwork', '-7,north']);
  t.same(await told('Artwork', '--', '-7'), ['Artwork', '-7']);
});
