import { createSigner } from 'fast-jwt';
import Fastify from 'fastify';
import { type Test, t } from 'tap';
import { larderFastify } from '../../src/http/index.ts';
import { networkOf } from '../../src/http/guards/rate-limit.ts';
import { createLarder } from '../../src/index.ts';
import { codes, type Received, send } from '../http/client.ts';
import { entities, fillLibrary, librarySchema } from '../kit/library.ts';
import { openRedis, openServer, startServer } from '../support/server.ts';
import { freshDatabase, freshRedis, type TestRedis } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';

const SECRET = 'a secret of at least thirty-two characters';

/** A bucket that fills so slowly that nothing comes back while a test runs. */
const SLOW = { RATE_POINTS_PER_SECOND: '0.01', RATE_BUCKET_SECONDS: '10000', MAX_COST: '100', JWT_SECRET: SECRET };
const BUCKET = 100;
/** One that is full again after two seconds. */
const QUICK = { RATE_POINTS_PER_SECOND: '50', RATE_BUCKET_SECONDS: '2', MAX_COST: '100', JWT_SECRET: SECRET };

/** Costs so many points: pages of as many entries, but for the point that each page costs itself. */
const query = (points: number): string => {
  const sizes = points <= 101 ? [points - 1] : [100, points - 102];
  return `{ ${sizes.map((size, i) => `p${i}: brands(first: ${size}) { nodes { id } }`).join(' ')} }`;
};

const bearer = (claims: object) => ({ authorization: `Bearer ${createSigner({ key: SECRET })(claims)}` });

const ask = (url: string, points: number, headers: Record<string, string> = {}) =>
  send(url, { body: { query: query(points) }, headers: { 'x-cost': '1', ...headers } });

interface ThrottleStatus {
  readonly maximumAvailable: number;
  readonly currentlyAvailable: number;
  readonly restoreRate: number;
}

const throttled = ({ json }: Received) => {
  const extensions = json.extensions ?? json.errors?.[0]?.extensions ?? {};
  return (extensions.cost as { throttleStatus: ThrottleStatus }).throttleStatus;
};

/** Holds for each place where buckets may be. */
async function behaves(t: Test, redis: TestRedis | null) {
  const database = await freshDatabase(t);
  await t.test('a client pays until its bucket is empty', async (t) => {
    const server = await openServer(t, { database, redis, env: { ...SLOW, CACHE_PREFIX: 'a:' } });
    const first = await ask(server.url, 30);
    const status = { maximumAvailable: BUCKET, currentlyAvailable: 70, restoreRate: 0.01 };
    t.same(first.json.extensions, { cost: { requested: 30, limit: 100, throttleStatus: status } });
    t.equal(throttled(await ask(server.url, 60)).currentlyAvailable, 10);
    const refused = await ask(server.url, 11);
    t.same([refused.status, codes(refused)], [429, ['RATE_LIMITED']]);
    t.notOk('data' in refused.json, 'nothing of it was executed');
    t.match(refused.json.errors, [{ message: /^This costs 11 points, and 10 are left\.$/ }]);
    t.same(refused.json.errors?.[0]?.extensions?.cost, {
      requested: 11,
      throttleStatus: { ...status, currentlyAvailable: 10 },
    });
    const seconds = Number(refused.headers['retry-after']);
    t.ok(seconds > 0 && seconds <= 100, `one point comes in 100 seconds, so come back in ${seconds}`);
    t.match(refused.headers['retry-after'], /^\d+$/);
    t.equal((await ask(server.url, 11, { accept: 'application/json' })).status, 429, 'whatever is accepted');
    t.equal((await ask(server.url, 10)).status, 200, 'what is left can still be spent');
    t.equal((await ask(server.url, 1)).status, 429);
    t.same(codes(await send(server.url, { body: { query: '{' } })), ['GRAPHQL_PARSE_FAILED'], 'mistakes are free');
    t.equal((await send(server.url, { path: '/healthz' })).status, 200, 'and so is health');
    const expensive = await ask(server.url, 101);
    t.same([expensive.status, codes(expensive)], [200, ['COST_LIMIT']], 'what may never run is not paid for');
  });

  await t.test('who has a token has a bucket of their own, wherever they are', async (t) => {
    const server = await openServer(t, { database, redis, env: { ...SLOW, CACHE_PREFIX: 'b:' } });
    t.equal(throttled(await ask(server.url, 100)).currentlyAvailable, 0);
    t.equal((await ask(server.url, 1)).status, 429, 'the address has spent its points');
    t.equal(throttled(await ask(server.url, 40, bearer({ sub: 'ann' }))).currentlyAvailable, 60);
    t.equal(
      throttled(await ask(server.url, 50, bearer({ sub: 'ann', scope: 'write' }))).currentlyAvailable,
      10,
      'by another token',
    );
    t.equal(throttled(await ask(server.url, 20, bearer({ sub: 'bob' }))).currentlyAvailable, 80);
    t.equal((await ask(server.url, 20, bearer({ sub: 'ann' }))).status, 429);
    t.equal((await ask(server.url, 1, bearer({ scope: 'write' }))).status, 429, 'without a subject the address pays');
    t.equal((await ask(server.url, 1, bearer({ sub: 'address:127.0.0.1' }))).status, 200, 'no subject is an address');
    t.equal((await ask(server.url, 1, { authorization: 'Bearer x' })).status, 401);
  });

  await t.test('a bucket fills up again', async (t) => {
    const server = await openServer(t, { database, redis, env: { ...QUICK, CACHE_PREFIX: 'c:' } });
    // From before it is emptied: an answer may be late.
    let started = performance.now();
    t.equal(throttled(await ask(server.url, 100)).maximumAvailable, 100);
    let refused = await ask(server.url, 50);
    // Where all stood still meanwhile, half of it may have come back.
    while (refused.status === 200 && performance.now() - started >= 1000) {
      await until('the bucket is full', async () => {
        started = performance.now();
        return (await ask(server.url, 100)).status === 200;
      });
      refused = await ask(server.url, 50);
    }
    t.equal(refused.status, 429);
    t.equal(refused.headers['retry-after'], '1', 'the wait is rounded up to whole seconds');
    await until('there are points again', async () => (await ask(server.url, 50)).status === 200);
    const ms = performance.now() - started;
    t.ok(ms > 700, `after ${ms.toFixed(0)} ms`);
    // From before it was asked, too.
    let emptied = 0;
    await until('the bucket is nearly full', async () => {
      emptied = performance.now();
      return (await ask(server.url, 95)).status === 200;
    });
    const { currentlyAvailable } = throttled(await ask(server.url, 1));
    const restored = ((performance.now() - emptied) / 1000) * 50;
    t.ok(currentlyAvailable <= 5 + restored, 'and it never holds more than that');
  });

  await t.test('many at once do not get more than there is', async (t) => {
    const server = await openServer(t, { database, redis, env: { ...SLOW, CACHE_PREFIX: 'd:' } });
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(server.url, 7)));
    const paid = answers.filter(({ status }) => status === 200);
    t.equal(paid.length, 14, `14 times 7 is less than ${BUCKET}`);
    t.equal(answers.filter(({ status }) => status === 429).length, 26);
  });
}

t.test('with Redis', async (t) => behaves(t, await freshRedis(t)));
t.test('without Redis', async (t) => behaves(t, null));

t.test('processes share the buckets, in one call to Redis for each request', async (t) => {
  const database = await freshDatabase(t);
  const redis = await freshRedis(t);
  const [one, two] = [
    await openServer(t, { database, redis, env: SLOW }),
    await openServer(t, { database, redis, env: SLOW }),
  ];
  t.equal(throttled(await ask(one.url, 60)).currentlyAvailable, 40);
  t.equal(throttled(await ask(two.url, 30)).currentlyAvailable, 10);
  t.equal((await ask(one.url, 11)).status, 429);
  t.equal((await ask(two.url, 11)).status, 429);
  await redis.resetCounts();
  for (const { url } of [one, two, one]) await ask(url, 1);
  const { evalsha = 0, ...inside } = await redis.commandCounts();
  t.equal(evalsha, 3, 'a call each');
  t.same(inside, { time: 3, hmget: 3, hset: 3, pexpire: 3 }, 'and nothing else');
  const client = openRedis(t, redis);
  const [key = '', ...others] = await client.keys('*points*');
  t.same([key, others], ['larder:points:100:0.01:address:127.0.0.1', []]);
  const ttl = await client.pttl(key);
  t.ok(ttl > 0 && ttl <= 10_000_000, 'a bucket that would be full is forgotten');
});

t.test('other limits are other buckets, for the same client', async (t) => {
  const database = await freshDatabase(t);
  await fillLibrary(openSql(t, database), 1, 1);
  const redis = await freshRedis(t);
  const larder = await createLarder({ entities, postgres: { url: database.url }, redis: { url: redis.url } });
  const app = Fastify();
  t.teardown(async () => {
    await app.close();
    await larder.close();
  });
  const schema = librarySchema();
  for (const [prefix, maximum] of [
    ['/strict', 100],
    ['/generous', 10_000],
  ] as const) {
    const limits = { maxCost: 100, maxEventLoopDelayMs: 0, rate: { perSecond: 0.001, maximum } };
    await app.register(larderFastify, { larder, schema, prefix, limits });
  }
  const left = async (prefix: string) => {
    const payload = { query: '{ authors(first: 9) { nodes { name } } }' };
    const headers = { 'x-cost': '1' };
    const answer = await app.inject({ method: 'POST', url: `${prefix}/graphql`, headers, payload });
    return answer.json().extensions.cost.throttleStatus.currentlyAvailable;
  };
  t.equal(await left('/generous'), 9990);
  t.equal(await left('/strict'), 90);
  t.equal(await left('/generous'), 9980);
});

t.test('while Redis is gone each process counts on its own', async (t) => {
  const database = await freshDatabase(t);
  const redis = await freshRedis(t);
  const [one, two] = [
    await openServer(t, { database, redis, env: SLOW }),
    await openServer(t, { database, redis, env: SLOW }),
  ];
  t.equal(throttled(await ask(one.url, 90)).currentlyAvailable, 10);
  await redis.stop();
  const statuses = async (url: string) => {
    const answers = [];
    for (let i = 0; i < 6; i += 1) answers.push((await ask(url, 25)).status);
    return answers;
  };
  t.same(await statuses(one.url), [200, 200, 200, 200, 429, 429], 'a bucketful with the one');
  t.same(await statuses(two.url), [200, 200, 200, 200, 429, 429], 'and another with the other, but no more');
});

t.test('an address is believed from a configured proxy alone', async (t) => {
  const database = await freshDatabase(t);
  const forwarded = (address: string) => ({
    'x-forwarded-for': address,
    'x-real-ip': address,
    forwarded: `for=${address}`,
  });
  const left = async (url: string, headers: Record<string, string>) =>
    throttled(await ask(url, 10, headers)).currentlyAvailable;

  const open = await openServer(t, { database, redis: null, env: SLOW });
  t.equal(await left(open.url, {}), 90);
  t.equal(await left(open.url, forwarded('203.0.113.1')), 80, 'anybody could write that');
  t.equal(await left(open.url, forwarded('203.0.113.2, 127.0.0.1')), 70);

  const behind = await openServer(t, { database, redis: null, env: { ...SLOW, TRUST_PROXY: '127.0.0.1, 10.0.0.0/8' } });
  t.equal(await left(behind.url, forwarded('203.0.113.1')), 90, 'the proxy says who it is');
  t.equal(await left(behind.url, forwarded('203.0.113.1')), 80);
  t.equal(await left(behind.url, forwarded('203.0.113.2')), 90);
  t.equal(
    await left(behind.url, forwarded('6.6.6.6, 203.0.113.2')),
    80,
    'what a client wrote before the proxy did is nothing',
  );
  t.equal(await left(behind.url, forwarded('203.0.113.2, 10.1.2.3')), 70, 'proxies behind each other');
  t.equal(await left(behind.url, {}), 90, 'and the proxy itself');

  const other = await openServer(t, { database, redis: null, env: { ...SLOW, TRUST_PROXY: '10.0.0.0/8' } });
  t.equal(await left(other.url, forwarded('203.0.113.1')), 90);
  t.equal(await left(other.url, forwarded('203.0.113.2')), 80, 'another proxy is not believed');
});

t.test('one client of IPv6 has a network', async (t) => {
  const same = ['2001:db8::1', '2001:db8::2', '2001:0db8:0:0:ffff::1', '2001:DB8:0:0:1:2:3:4', '2001:db8::%eth0'];
  for (const address of same) t.equal(networkOf(address), '2001:db8:0:0::/64', address);
  t.equal(networkOf('2001:db8:0:1::1'), '2001:db8:0:1::/64');
  t.equal(networkOf('::1'), '0:0:0:0::/64');
  t.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1', 'an address of IPv4');
  t.equal(networkOf('::FFFF:192.0.2.1'), '192.0.2.1');
  t.equal(networkOf('192.0.2.1'), '192.0.2.1');
  t.equal(networkOf('fe80::1%lo'), 'fe80:0:0:0::/64');
  t.equal(networkOf('1:2:3:4:5:6:7:8'), '1:2:3:4::/64');
});

t.test('nobody pays unless it is configured, and nobody is asked for what no bucket holds', async (t) => {
  const server = await startServer(t, { redis: null });
  const answer = await ask(server.url, 190);
  t.same(answer.json.extensions, { cost: { requested: 190, limit: 1_000_000 } });
  const env = { RATE_POINTS_PER_SECOND: '10', RATE_BUCKET_SECONDS: '10', MAX_COST: '101' };
  await t.rejects(startServer(t, { redis: null, env }), {
    name: 'ConfigError',
    message: /A bucket holds 100 points .*MAX_COST/,
  });
});
