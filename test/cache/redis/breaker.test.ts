import { type Test, t } from 'tap';
import { Breaker } from '../../../src/cache/redis/breaker.ts';
import { RedisTier } from '../../../src/cache/redis/tier.ts';
import { Trace } from '../../../src/trace/trace.ts';
import { faultyProxy, through } from '../../support/faulty-proxy.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { freshRedis } from '../../support/services.ts';
import { until } from '../../support/until.ts';

/** As src/cache has it: failures in a row that open it, and how long it stays open, in milliseconds. */
const FAILURES = 3;
const OPEN_MS = 500;

/** How long nobody has asked, as src/cache/redis/breaker.ts has it. */
const UNASKED_MS = 10_000;

t.test('after three failures in a row nobody tries but one each half a second', async (t) => {
  const clock = manualClock();
  const errors: string[] = [];
  const breaker = new Breaker((error) => errors.push(error.message), clock);
  let tried = 0;
  const fail = () =>
    breaker.attempt(async () => {
      tried += 1;
      throw new Error('no');
    });
  const succeed = () =>
    breaker.attempt(async () => {
      tried += 1;
      return 'yes';
    });
  await fail();
  await fail();
  t.equal(await succeed(), 'yes');
  for (let i = 1; i <= FAILURES; i += 1) {
    t.notOk(breaker.tripped, 'a success between them begins a new row');
    t.equal(await fail(), null);
  }
  t.ok(breaker.open);
  t.equal(errors.length, 2 + FAILURES, 'each failure is told');
  tried = 0;
  t.equal(await succeed(), null);
  await clock.advance(OPEN_MS - 1);
  t.equal(await succeed(), null);
  t.equal(tried, 0, 'nobody tries');
  await clock.advance(1);
  const attempts = Array.from({ length: 5 }, fail);
  t.same(await Promise.all(attempts), [null, null, null, null, null]);
  t.equal(tried, 1, 'one tries, and the others do not wait for it');
  t.equal(await succeed(), null, 'which begins the half second anew');
  await clock.advance(OPEN_MS);
  t.equal(await succeed(), 'yes');
  t.notOk(breaker.tripped);
  t.equal(await succeed(), 'yes');
});

/** A tier whose Redis answers when the proxy lets it, and what reads it. */
async function open(t: Test) {
  const redis = await freshRedis(t);
  const proxy = await faultyProxy(t, Number(new URL(redis.url).port));
  const clock = manualClock();
  const tier = new RedisTier(through(redis.url, proxy), '', () => {}, clock, 100);
  t.teardown(() => tier.close());
  const connected = tier.connected(60_000);
  await until('it is connected', async () => {
    await clock.advance(5);
    return (await Promise.race([connected, false])) === true;
  });
  proxy.hold();
  /** Reads, and lets so much time pass as Redis has to answer. */
  const read = async () => {
    const trace = new Trace({ recording: true, clock });
    const values = tier.read(['a'], trace);
    await clock.advance(100);
    t.equal(await values, null, 'the reader goes on to Postgres');
    return trace.events?.length;
  };
  return { clock, proxy, tier, read };
}

t.test('a Redis that does not answer is asked three times, and then once each half a second', async (t) => {
  const { clock, proxy, tier, read } = await open(t);
  const asked = [await read(), await read(), await read(), await read(), await read()];
  t.same(asked, [1, 1, 1, 0, 0]);
  t.ok(tier.breakerOpen);
  await clock.advance(OPEN_MS);
  t.same([await read(), await read()], [1, 0]);
  proxy.pass();
  await clock.advance(OPEN_MS);
  const trace = new Trace({ clock });
  await until('Redis answers', async () => {
    const values = await tier.read(['a'], trace);
    if (values === null) await clock.advance(OPEN_MS);
    return values !== null;
  });
  t.notOk(tier.breakerOpen);
});

t.test('a heartbeat that is answered closes it once nobody has asked for a while', async (t) => {
  const { clock, proxy, tier, read } = await open(t);
  for (let i = 1; i < FAILURES; i += 1) await read();
  proxy.pass();
  await tier.meet();
  proxy.hold();
  await read();
  t.ok(tier.breakerOpen, 'what else is answered is no success between failures');
  proxy.pass();
  await tier.meet();
  t.ok(tier.breakerOpen, 'nor does it cut the pause short');
  await clock.advance(OPEN_MS);
  proxy.hold();
  await read();
  proxy.pass();
  // The read took 100 ms.
  await clock.advance(UNASKED_MS - 101);
  await tier.meet();
  t.ok(tier.breakerOpen, 'nor is it an attempt where some ask');
  await clock.advance(1);
  t.ok(tier.breakerOpen);
  await tier.meet();
  t.notOk(tier.breakerOpen);
});
