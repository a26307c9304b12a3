import { t } from 'tap';
import { startProcess } from '../http/child.ts';
import { makeData } from '../support/data.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
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
    const told = server.output().match(/"msg":"Redis failed"/g)?.length ?? 0;
    t.ok(told >= 1 && told <= 3, `the log says so ${told} times, and not each time`);
  });
}
