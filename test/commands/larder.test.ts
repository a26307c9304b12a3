import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { runCli } from '../support/run-cli.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

t.test('a command ends, though the module has a client of its own', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  await openSql(t, database)`create table birds (id int primary key, name text not null)`;
  const module = join(t.testdir({}), 'larder.ts');
  writeFileSync(
    module,
    `import { integer, pgTable, text } from 'drizzle-orm/pg-core';
    import { Redis } from 'ioredis';
    import { createLarder, entity } from ${JSON.stringify(join(REPOSITORY, 'src', 'index.ts'))};
    const client = new Redis(process.env.REDIS_URL ?? '');
    const birds = pgTable('birds', { id: integer('id').primaryKey(), name: text('name').notNull() });
    export const openLarder = () =>
      createLarder({
        entities: { Bird: entity(birds, { unwatched: true }) },
        postgres: { url: process.env.DATABASE_URL ?? '' },
        redis: { client },
      });`,
  );
  const env = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  const larder = (...words: string[]) => runCli('../commands/larder', words, env);
  t.match(await larder('forget', module), {
    code: 0,
    stdout: /^Removed 0 bodies from Redis\.\nTold all processes .*\n$/,
  });
  t.match(await larder('doctor', module), { code: 0, stdout: /Nothing is missing/ });
  t.match(await larder('documents', module), { code: 2, stderr: /exports no `schema`/ });
});
