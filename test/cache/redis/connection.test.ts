import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { t } from 'tap';
import { InvalidationBus } from '../../../src/cache/bus/invalidation-bus.ts';
import type { BusListener } from '../../../src/cache/bus/listener.ts';
import { RedisConnection } from '../../../src/cache/redis/connection.ts';
import { hearEveryError } from '../../../src/cache/redis/guard.ts';
import type { RedisSource } from '../../../src/cache/redis/source.ts';
import { RedisTier } from '../../../src/cache/redis/tier.ts';
import { systemClock } from '../../../src/clock.ts';
import { REPOSITORY } from '../../../src/cli/services/state-directory.ts';
import { Trace } from '../../../src/trace/trace.ts';
import { faultyProxy, through } from '../../support/faulty-proxy.ts';
import { startSentinel } from '../../support/sentinel.ts';
import { freshRedis, REDIS_PATIENCE_MS } from '../../support/services.ts';
import { openRedis } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

/** Hears of nothing. */
const DEAF: BusListener = {
  onKeys: () => {},
  onConnected: () => {},
  onEcho: () => {},
  onAlive: () => {},
  onSilence: () => {},
};

t.test('a connection comes back while commands go on failing', async (t) => {
  const redis = await freshRedis(t);
  const proxy = await faultyProxy(t, Number(new URL(redis.url).port));
  const connection = new RedisConnection(through(redis.url, proxy), () => {}, systemClock, 100);
  t.teardown(() => connection.close());
  t.ok(await connection.connected(60_000));
  let failures = 0;
  const fail = () => {
    failures += 1;
  };
  const writes = setInterval(() => connection.sound(() => connection.redis.ping()).catch(fail), 5);
  t.teardown(() => clearInterval(writes));
  await proxy.refuse();
  // At one in 5 ms that takes longer than a connection may say nothing.
  await until('many have failed', () => failures >= 300);
  // Slow enough that several fail while the connection is being made.
  proxy.delay(20);
  await proxy.listen();
  t.ok(await connection.connected(60_000), 'it is there again');
});

t.test('a connection may take as long to be made as a round trip, and a second at least', async (t) => {
  const redis = await freshRedis(t);
  for (const [timeoutMs, expected] of [
    [100, 1000],
    [10_000, 10_000],
  ] as const) {
    const given: unknown[] = [];
    const source: RedisSource = (options) => {
      given.push(options.connectTimeout);
      return new Redis(redis.url, options);
    };
    const connection = new RedisConnection(source, () => {}, systemClock, timeoutMs);
    const bus = new InvalidationBus(
      source,
      '',
      DEAF,
      async () => null,
      () => {},
      systemClock,
      timeoutMs,
    );
    t.same(given, [expected, expected]);
    await Promise.all([connection.close(), bus.close()]);
  }
});

t.test('what is sent in one turn of the event loop leaves in one write', async (t) => {
  const redis = await freshRedis(t);
  const admin = openRedis(t, redis);
  const reads = async () => Number(/total_reads_processed:(\d+)/.exec(await admin.info('stats'))?.[1]);
  const connection = new RedisConnection(redis.url, () => {}, systemClock, REDIS_PATIENCE_MS);
  t.teardown(() => connection.close());
  t.ok(await connection.connected(60_000));
  await connection.redis.ping();
  const before = await reads();
  const asked = Array.from({ length: 40 }, (_, i) => String(i));
  const replies = await Promise.all(
    asked.map((text) => {
      // Time for Redis to read what has been written, if it has been.
      const until = performance.now() + 2;
      while (performance.now() < until);
      return connection.redis.echo(text);
    }),
  );
  t.same(replies, asked, 'each has its own reply');
  const more = (await reads()) - before;
  t.ok(more < asked.length / 2, `Redis read ${more} times, and some of them for who asks how often`);
});

t.test('a second error of a socket ends nothing but the connection', async (t) => {
  const { url } = await freshRedis(t);
  const redis = new Redis(url);
  t.teardown(() => redis.disconnect());
  const errors: string[] = [];
  redis.on('error', (error) => errors.push(error.message));
  hearEveryError(redis);
  await until('it is ready', () => redis.status === 'ready');
  for (const text of ['first', 'second', 'third']) redis.stream.emit('error', new Error(text));
  t.same(errors, ['first', 'second', 'third']);
});

t.test('nor does one of a socket that a Sentinel led to', async (t) => {
  const { port } = await freshRedis(t);
  const redis = new Redis({ sentinels: [{ host: '127.0.0.1', port: await startSentinel(t, port) }], name: 'mymaster' });
  t.teardown(() => redis.disconnect());
  const errors: string[] = [];
  redis.on('error', (error) => errors.push(error.message));
  hearEveryError(redis);
  for (const time of ['at first', 'again']) {
    await until(`it is ready ${time}`, () => redis.status === 'ready');
    errors.length = 0;
    for (const text of ['first', 'second', 'third']) redis.stream.emit('error', new Error(text));
    t.same(errors, ['first', 'second', 'third'], time);
    redis.disconnect(true);
    await until('it is gone', () => redis.status !== 'ready');
  }
});

/** A program whose own client has a listener that throws. It says what Node tells it, and whether the client is still there. */
const OWN_CLIENT = `
  import { Redis } from 'ioredis';
  import './src/cache/redis/guard.ts';

  const [own, other] = [new Redis(process.argv[1]), new Redis(process.argv[1])];
  const lost = [];
  own.on('close', () => lost.push('closed'));
  own.on('message', () => { throw new Error('of mine'); });
  process.once('uncaughtException', async ({ message }) => {
    console.log(message, await own.ping(), lost);
    own.disconnect();
    other.disconnect();
  });
  await own.subscribe('news');
  await other.publish('news', 'some');
`;

t.test("clients of one's own behave as they do without Larder", async (t) => {
  const { url } = await freshRedis(t);
  const args = ['--import=tsx', '--input-type=module', '--eval', OWN_CLIENT, url];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: REPOSITORY });
  t.equal(stdout, 'of mine PONG []\n');
});

t.test('a bus that Redis refuses stays, and tries no more than it did', async (t) => {
  const redis = await freshRedis(t);
  const admin = openRedis(t, redis);
  await admin.call('ACL', 'SETUSER', 'larder', 'on', '>secret', '~*', '+@all', 'resetchannels');
  const url = new URL(redis.url);
  url.username = 'larder';
  url.password = 'secret';
  const errors: string[] = [];
  const bus = new InvalidationBus(
    url.href,
    '',
    DEAF,
    async () => null,
    (error) => errors.push(error.message),
    systemClock,
    REDIS_PATIENCE_MS,
  );
  t.teardown(() => bus.close());
  await until('Redis refuses', async () => errors.length > 0);
  const pings = async () => Number(/^cmdstat_ping:calls=(\d+)/m.exec(await admin.info('commandstats'))?.[1] ?? 0);
  await until('it has asked again and again whether its connection stands', async () => (await pings()) >= 6);
  t.same(errors.length, 1, errors.join());
  t.match(errors[0], /NOPERM/);
});

t.test('a bus whose subscription is lost comes back', async (t) => {
  const redis = await freshRedis(t);
  const proxy = await faultyProxy(t, Number(new URL(redis.url).port));
  const trusted: boolean[] = [];
  const onConnected = (connected: boolean) => void trusted.push(connected);
  const listener = { ...DEAF, onConnected };
  const bus = new InvalidationBus(
    through(redis.url, proxy),
    '',
    listener,
    async () => null,
    () => {},
    systemClock,
    100,
  );
  t.teardown(() => bus.close());
  await until('it listens', async () => trusted.at(-1) === true);
  let turn = 0;
  // Half of the answers are lost, so that those that come are not the ones that are waited for.
  proxy.garble((real) => {
    turn += 1;
    return turn % 2 === 0 ? Buffer.alloc(0) : real;
  });
  await until('it knows', async () => trusted.at(-1) === false);
  proxy.pass();
  await until('it listens again', async () => trusted.at(-1) === true);
  t.pass('it listens again');
});

t.test('a standstill of the process counts as no failure of Redis', async (t) => {
  const redis = await freshRedis(t);
  const errors: string[] = [];
  // Redis may stand still for a while, too, which would count.
  const TIMEOUT_MS = 3000;
  const tier = new RedisTier(redis.url, '', ({ message }) => errors.push(message), systemClock, TIMEOUT_MS);
  t.teardown(() => tier.close());
  t.ok(await tier.connected(REDIS_PATIENCE_MS));
  const stand = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * TIMEOUT_MS);
  const read = () => Promise.all(Array.from({ length: 5 }, () => tier.read(['a'], new Trace())));
  const answer = { values: [null], epoch: null };
  const unsent = read();
  stand();
  for (const values of await unsent) t.match(values, answer, 'what waited to be sent is answered');
  const sent = read();
  await new Promise((resolve) => setImmediate(resolve));
  stand();
  for (const values of await sent) t.match(values, answer, 'and so is what Redis has answered meanwhile');
  t.notOk(tier.breakerOpen);
  t.same(errors, []);
});
