import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { REPOSITORY } from '../../src/cli/services/state-directory.ts';
import { blocks } from '../docs/document.ts';
import { globalId, makeData } from '../support/data.ts';
import { openRedis, openServer, openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

const recipes = blocks(readFileSync(join(REPOSITORY, 'docs', 'operations.md'), 'utf8'));
const recipe = (language: string) => recipes.find((block) => block.language === language)?.text ?? '';

t.test('a server does all that it does with the rights that docs/operations.md lists', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const sql = openSql(t, database);
  await makeData(sql, { brands: 2, campaigns: 4, events: 4, perCampaign: 2 });
  await sql.unsafe(recipe('sql'));
  t.teardown(async () => {
    await sql.unsafe('drop owned by larder_server');
    await sql.unsafe('drop role larder_server');
  });
  const [command = '', ...args] = recipe('redis').trim().split(' ');
  await openRedis(t, redis).call(command, ...args);

  const url = new URL(database.url);
  url.username = 'larder_server';
  url.password = 'secret';
  const address = redis.url.replace('redis://', 'redis://larder:secret@');
  const server = await openServer(t, {
    database: { url: url.href },
    // What the test itself does at Redis, it does as another user.
    redis: null,
    env: {
      REDIS_URL: address,
      CACHE_PREFIX: 'larder-prod:',
      JWT_SECRET,
      RATE_POINTS_PER_SECOND: '100000',
      RATE_BUCKET_SECONDS: '60',
    },
  });
  let said = '';
  await until('it is ready', async () => {
    said = await (await fetch(`${server.url}/readyz`)).text();
    return said.includes('"ready"');
  }).catch((error: unknown) => t.fail(`${String(error)}: ${said}`));

  const page =
    '{ campaigns(first: 4) { totalCount nodes { title brand { name } events(first: 2) { nodes { title } } } } }';
  for (let i = 0; i < 2; i += 1) t.match(await server.ask(page), { campaigns: { totalCount: 4 } });
  const id = globalId('Brand', 1);
  const rename = (name: string) =>
    server.query(`mutation { updateBrand(input: { id: "${id}", name: "${name}" }) { brand { name } } }`, {}, bearer());
  t.match(await rename('new'), { data: { updateBrand: { brand: { name: 'new' } } } });
  const name = async () =>
    (await server.ask<{ node: { name: string } }>(`{ node(id: "${id}") { ... on Brand { name } } }`)).node.name;
  t.equal(await name(), 'new');
  await sql`update brands set name = 'newer' where id = 1`;
  await until('the outbox has told of it', async () => (await name()) === 'newer');
  await until('it is ready still', async () =>
    (await (await fetch(`${server.url}/readyz`)).text()).includes('"ready"'),
  );
  const refused = await openRedis(t, redis).call('ACL', 'LOG');
  t.same(refused, [], 'Redis has refused nothing');
});
