import { t } from 'tap';
import { entities } from '../../src/app/entities.ts';
import { createLarder } from '../../src/index.ts';
import { startProcess } from '../http/child.ts';
import { makeData } from '../support/data.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { standingClock } from '../support/standing-clock.ts';
import { openRedis, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const QUERY = '{ campaigns(first: 5) { nodes { title } } }';

/** What an ACL refuses, how Redis is asked for it, and how often the log may tell: once for each command. */
const REFUSED: Record<string, readonly string[]> = {
  'the keys of the buckets': ['resetkeys', '~Campaign-*', '~larder:heartbeat'],
  'every script': ['-evalsha', '-eval'],
  'acknowledgements and echoes': ['resetchannels', '&larder:invalidations'],
};

for (const [what, rules] of Object.entries(REFUSED)) {
  t.test(`a Redis that refuses ${what} still answers for bodies`, async (t) => {
    const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
    await makeData(openSql(t, database), { brands: 1, campaigns: 5, events: 1, perCampaign: 1 });
    const admin = openRedis(t, redis);
    await admin.call('ACL', 'SETUSER', 'larder', 'on', '>secret', '~*', '&*', '+@all');
    const url = new URL(redis.url);
    url.username = 'larder';
    url.password = 'secret';
    const env = {
      ...{ RATE_POINTS_PER_SECOND: '1000000', MEMORY_MAX_ENTRIES: '0', INSPECT: 'always' },
      // However long a busy machine takes, nothing fails but what is refused, and Redis is vouched for all the while.
      ...{ REDIS_TIMEOUT_MS: String(REDIS_PATIENCE_MS), MAX_STALENESS_MS: '60000' },
    };
    const server = await startProcess(t, { database, redis: { url: url.href } }, env);
    const hits = async () => {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: QUERY }),
      });
      const { extensions } = (await response.json()) as {
        extensions?: { dataFetching?: { cache: { Campaign?: { hits: number } } } };
      };
      return extensions?.dataFetching?.cache.Campaign?.hits ?? 0;
    };
    await until('Redis holds the bodies', async () => (await hits()) === 5);
    await admin.call('ACL', 'SETUSER', 'larder', ...rules);
    let answered = 0;
    for (let i = 0; i < 20; i += 1) answered += await hits();
    t.ok(answered >= 80, `${answered} of 100 bodies came from Redis`);
    const metrics = await (await fetch(server.metricsUrl)).text();
    t.match(metrics, /^larder_redis_breaker_open 0$/m, 'the breaker is closed');
    await until('the log has it', async () => {
      await hits();
      return /NOPERM/.test(server.output());
    });
    const told = firsts(server.output());
    t.ok(told >= 1 && told <= 3, `the log says so ${told} times, and not each time`);
  });
}

/** How many kinds of refusals there were: each is told again after a minute, with how often it came. */
function firsts(output: string): number {
  return output.split('\n').filter((line) => /"msg":"Redis failed"/.test(line) && !line.includes('"repeats"')).length;
}

t.test('a refusal is told again after a minute, with how often it came', async (t) => {
  const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
  const admin = openRedis(t, redis);
  await admin.call('ACL', 'SETUSER', 'larder', 'on', '>secret', '~*', '&*', '+@all');
  const url = new URL(redis.url);
  url.username = 'larder';
  url.password = 'secret';
  const clock = standingClock();
  const told: unknown[] = [];
  const larder = await createLarder({
    entities,
    postgres: { url: database.url },
    redis: { url: url.href, timeoutMs: REDIS_PATIENCE_MS },
    cache: { memoryMaxEntries: 0 },
    logger: { info: () => {}, warn: (details, message) => message === 'Redis failed' && told.push(details) },
    clock,
  });
  t.teardown(larder.close);
  const read = () => larder.repositories.Brand.findById('1');
  await until('what Redis holds is used', () => larder.health.domain() === 'joined');
  await admin.call('ACL', 'SETUSER', 'larder', '-mget');
  await until('it is told', async () => {
    await read();
    return told.some((details) => JSON.stringify(details).includes('NOPERM'));
  });
  for (let i = 0; i < 20; i += 1) await read();
  const first = told.length;
  t.ok(first <= 3, 'once for each command');
  t.notOk(told.some((details) => 'repeats' in (details as object)));
  clock.pass(60_001);
  await until('it is told again, with how often it came', async () => {
    await read();
    return told.slice(first).some((details) => Number((details as { repeats?: number }).repeats) > 0);
  });
});
