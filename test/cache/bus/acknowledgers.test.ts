import { Redis } from 'ioredis';
import { t } from 'tap';
import { InvalidationBus } from '../../../src/cache/bus/invalidation-bus.ts';
import { RedisTier } from '../../../src/cache/redis/tier.ts';
import { systemClock } from '../../../src/clock.ts';
import { freshRedis, REDIS_PATIENCE_MS } from '../../support/services.ts';
import { until } from '../../support/until.ts';

/** How long a process is waited for. */
const WAIT_MS = 1000;

/** What is quick takes less, also on a busy machine: half of what is waited. */
const QUICK_MS = WAIT_MS / 2;

const redis = await freshRedis(t);
const fail = (error: Error) => t.fail(error.message);
const silences: [string, boolean][] = [];
const connected: boolean[] = [];
const tier = new RedisTier(redis.url, '', fail, systemClock, REDIS_PATIENCE_MS);
const listener = {
  onKeys: () => {},
  onConnected: (now: boolean) => void connected.push(now),
  onEcho: () => {},
  onAlive: () => {},
  onSilence: (process: string, silent: boolean) => void silences.push([process, silent]),
};
const bus = new InvalidationBus(redis.url, '', listener, tier.tell.bind(tier), fail, systemClock, REDIS_PATIENCE_MS);
const others: Redis[] = [];
const connect = () => {
  const client = new Redis(redis.url);
  others.push(client);
  return client;
};
t.teardown(async () => {
  bus.close();
  await tier.close();
  for (const client of others) client.disconnect();
});
const admin = connect();
const own = async () =>
  ((await admin.pubsub('CHANNELS', 'larder:acknowledgements:*')) as string[]).find((name) =>
    name.includes(`:${process.pid}:`),
  );

/** Tells every process to forget something, and answers how long that took. */
async function tell(): Promise<number> {
  const { text, acknowledged } = bus.announce(['Thing-1'], true);
  const began = performance.now();
  await acknowledged(await tier.invalidate(['Thing-1'], bus.channel, text, bus.acknowledgers), WAIT_MS);
  return performance.now() - began;
}

/** Tells often enough that one of them is quick, however busy the machine is. */
async function isQuick(): Promise<boolean> {
  for (let i = 0; i < 5; i += 1) if ((await tell()) < QUICK_MS) return true;
  return false;
}

await until('this process listens', async () => connected.includes(true));
await until('and its commands', () => tier.connected(REDIS_PATIENCE_MS));

t.test('whoever listens and is no process costs nothing', async (t) => {
  await connect().subscribe('larder:invalidations');
  await connect().psubscribe('*');
  await connect().psubscribe('larder:*');
  t.ok(await isQuick());
});

t.test('a process that does not acknowledge', async (t) => {
  const channel = 'larder:acknowledgements:elsewhere:4711:x';
  const frozen = connect();
  const heard: string[] = [];
  frozen.on('message', (on: string, text: string) => void (on === channel && heard.push(text)));
  await frozen.subscribe('larder:invalidations', channel);

  t.ok((await tell()) >= WAIT_MS - 1, 'is waited for');
  t.ok((await tell()) >= WAIT_MS - 1, 'and again');
  await until('it is told that it is given up', async () => heard.includes('{"givenUp":true}'));
  t.same(bus.silent, [], 'which it is not at once');
  t.ok((await tell()) >= WAIT_MS - 1, 'for it may not have heard that yet');
  t.ok(await isQuick(), 'and then nobody waits for it');
  t.same(bus.silent, ['elsewhere:4711']);
  t.same(silences, [['elsewhere:4711', true]], 'which is told once');

  await admin.publish((await own()) ?? '', JSON.stringify({ number: 0, from: channel }));
  await until('it is heard again', async () => bus.silent.length === 0);
  t.same(silences.at(-1), ['elsewhere:4711', false]);
  t.ok((await tell()) >= WAIT_MS - 1, 'then it is waited for');
  await frozen.unsubscribe();
  t.ok(await isQuick(), 'until it listens no more');
});

t.test('a process that is given up begins anew under another name', async (t) => {
  const before = await own();
  connected.length = 0;
  await admin.publish(before ?? '', '{"givenUp":true}');
  await until('it listens again', async () => connected.includes(true));
  t.equal(connected[0], false, 'and believes nothing until then');
  const after = await own();
  t.ok(after !== undefined && after !== before, 'under another name');
  t.ok(await isQuick());
});

t.test('where Redis does not say who listens, all that it told are waited for', async (t) => {
  await admin.call('ACL', 'SETUSER', 'default', '-pubsub');
  t.ok((await tell()) >= WAIT_MS - 1, 'a stranger, too');
  await admin.call('ACL', 'SETUSER', 'default', '+@all');
  t.ok(await isQuick());
});
