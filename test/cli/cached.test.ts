import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { runCli } from '../support/run-cli.ts';
import { LASTING, openRedis, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

t.test('what Redis has of an entity, and who uses it', async (t) => {
  const server = await startServer(t, { env: { ...LASTING, MEMORY_MAX_ENTRIES: '0' } });
  await server.sql`insert into brands (id, name) values (7, 'seven')`;
  await server.database.drained();
  const env = { DATABASE_URL: server.database.url, REDIS_URL: server.redis.url };
  const show = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli('cached', args, env);
    t.equal(code, 0, stderr);
    return stdout;
  };
  const redis = openRedis(t, server.redis);
  t.match(await show('Brand', '7'), /^key {7}Brand-7\nrow {7}version \d+\ncached {4}nothing: /);

  await server.ask('{ brands(first: 1) { nodes { name } } }');
  const used = /\ncached {4}version (\d+), for \d+ s more\nby id {5}reads use it\nby list {3}reads use it\n$/;
  // Where the machine stands still for a moment, nobody vouches for what Redis has.
  await until('reads use it', async () => used.test(await show(globalId('Brand', 7))));
  const text = (await redis.get('Brand-7')) ?? '';
  const change = (values: object) =>
    redis.set('Brand-7', JSON.stringify({ ...JSON.parse(text), ...values }), 'EX', 600);
  await change({ version: '1' });
  t.match(await show('Brand', '7'), 'by list   reads do not use it: the row has another version');
  await change({ epoch: 'another' });
  t.match(await show('Brand', '7'), 'by id     reads do not use it: it was read in another run of Redis');
  await change({ shape: 'another', columns: 'another' });
  t.match(await show('Brand', '7'), 'a body that lacks columns');
  await redis.set('Brand-7', '~lease', 'EX', 600);
  t.match(await show('Brand', '7'), /a lease for \d+ s more/);

  await until('Redis has that there is none, for longer than a command takes', async () => {
    await server.ask(`{ node(id: "${globalId('Brand', 8)}") { id ... on Brand { name } } }`);
    return (await redis.expire('Brand-8', 600)) === 1;
  });
  t.match(await show('Brand', '8'), /row {7}none\ncached {4}that there is none/);
  const wrong = await runCli('cached', ['Venue', '1'], env);
  t.equal(wrong.code, 2);
  t.match(wrong.stderr, /Which entity\? Expected a global id, or one of Brand, Campaign, Event and an id\./);
});
