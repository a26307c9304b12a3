import { t } from 'tap';
import { Trust } from '../../../src/cache/memory/trust.ts';
import { manualClock } from '../../support/manual-clock.ts';

/** A process that hears its own echo, on a machine that can be suspended: the monotonic clock does not notice. */
function start() {
  const clock = manualClock();
  let aheadMs = 1_000_000;
  const suspend = (ms: number) => {
    aheadMs += ms;
  };
  const trust = new Trust(1000, false, { ...clock, wall: () => aheadMs + clock.now() });
  trust.connected(true);
  trust.alive(clock.now());
  trust.heard({ sent: clock.now(), epoch: 'a' });
  return { clock, suspend, trust, read: clock.now() };
}

t.test(
  'a machine that was suspended trusts nothing before its subscription has answered what it asked since',
  async (t) => {
    const { clock, suspend, trust, read } = start();
    t.ok(trust.covers(read));
    const pinged = clock.now();
    await clock.advance(10);
    suspend(60_000);
    t.notOk(trust.covers(read));
    t.notOk(trust.covers(clock.now()), 'nor what is read from now on: it may have been given up');
    trust.alive(pinged);
    t.notOk(trust.covers(read), 'nor after an answer to what it asked before');
    await clock.advance(10);
    trust.alive(clock.now());
    t.ok(trust.covers(read));
  },
);

t.test('a short standstill counts as time that has passed', async (t) => {
  const { clock, suspend, trust, read } = start();
  await clock.advance(500);
  suspend(400);
  t.ok(trust.covers(read));
  suspend(200);
  t.notOk(trust.covers(read));
});

t.test('a time of day that is set back says nothing, and one that is set forward is like a standstill', async (t) => {
  const { clock, suspend, trust, read } = start();
  suspend(-60_000);
  t.ok(trust.covers(read));
  for (let i = 0; i < 2; i += 1) trust.alive(clock.now());
  suspend(60_000);
  t.notOk(trust.covers(read));
  for (let i = 0; i < 2; i += 1) trust.alive(clock.now());
  t.ok(trust.covers(read));
});

t.test('what else must have been asked since, besides the ping', async (t) => {
  const { clock, suspend, trust, read } = start();
  const slots = { asked: clock.now(), aheadMs: 1_000_000 };
  await clock.advance(10);
  suspend(60_000);
  for (let i = 0; i < 2; i += 1) trust.alive(slots.asked, slots.aheadMs);
  t.notOk(trust.covers(read), 'where a key lives was asked before the machine was suspended');
  trust.alive(clock.now(), 1_060_000);
  t.ok(trust.covers(read));
});
