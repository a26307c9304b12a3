import { t } from 'tap';
import { inTime } from '../../../src/cache/redis/in-time.ts';

/** A clock whose time and whose timers the test drives, each by itself. */
function lateClock() {
  const timers: { ms: number; callback: () => void }[] = [];
  const clock = {
    time: 0,
    timers,
    now: () => clock.time,
    after: (ms: number, callback: () => void) => {
      const timer = { ms, callback };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
    tick: () => () => {},
    /** Lets the next timer fire. */
    fire: (time: number) => {
      clock.time = time;
      timers.shift()?.callback();
    },
  };
  return clock;
}

const never = new Promise<never>(() => {});

t.test('an answer that takes too long is not waited for', async (t) => {
  const clock = lateClock();
  const answer = inTime(clock, 100, never);
  clock.fire(100);
  await t.rejects(answer, { message: 'Command timed out' });
  t.same(clock.timers, []);
});

t.test('a process that stood still waits once more, for as long as it was late', async (t) => {
  const clock = lateClock();
  let reply = (_text: string) => {};
  const answer = inTime(
    clock,
    100,
    new Promise<string>((resolve) => {
      reply = resolve;
    }),
  );
  clock.fire(130);
  t.match(clock.timers, [{ ms: 30 }]);
  reply('yes');
  t.equal(await answer, 'yes', 'which may have been there for long');
  t.same(clock.timers, [], 'nothing waits any more');
});

t.test('it waits no longer than an answer may take, and not again', async (t) => {
  const clock = lateClock();
  const answer = inTime(clock, 100, never);
  clock.fire(100_000);
  t.match(clock.timers, [{ ms: 100 }]);
  clock.fire(300_000);
  await t.rejects(answer, { message: 'Command timed out' });
  t.same(clock.timers, []);
});
