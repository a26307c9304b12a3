import { t } from 'tap';
import { repeatFilter } from '../src/repeat-filter.ts';
import { manualClock } from './support/manual-clock.ts';

t.test('a fault that goes on is told once a minute, with how often it came', async (t) => {
  const clock = manualClock();
  const lines: [string, string, number][] = [];
  const fault = repeatFilter(clock, (...line) => lines.push(line));
  for (let second = 0; second < 125; second += 1) {
    fault('Redis failed', 'ECONNREFUSED');
    await clock.advance(1000);
  }
  t.same(lines, [
    ['Redis failed', 'ECONNREFUSED', 0],
    ['Redis failed', 'ECONNREFUSED', 59],
    ['Redis failed', 'ECONNREFUSED', 59],
  ]);
});

t.test('another fault is told at once', async (t) => {
  const lines: string[] = [];
  const fault = repeatFilter(manualClock(), (about, reason) => lines.push(`${about}: ${reason}`));
  for (const reason of ['away', 'slow', 'away', 'slow']) fault('Redis failed', reason);
  fault('the outbox was not drained', 'away');
  t.same(lines, ['Redis failed: away', 'Redis failed: slow', 'the outbox was not drained: away']);
});

t.test('a fault whose reason changes is one by its kind', async (t) => {
  const clock = manualClock();
  const lines: [string, string, number][] = [];
  const fault = repeatFilter(clock, (...line) => lines.push(line));
  for (const key of ['a', 'b', 'c']) fault('Redis failed', `NOPERM no access to ${key}`, 'NOPERM mget');
  fault('Redis failed', 'NOPERM no access to d', 'NOPERM get');
  await clock.advance(60_000);
  fault('Redis failed', 'NOPERM no access to e', 'NOPERM mget');
  t.same(lines, [
    ['Redis failed', 'NOPERM no access to a', 0],
    ['Redis failed', 'NOPERM no access to d', 0],
    ['Redis failed', 'NOPERM no access to e', 2],
  ]);
});

t.test('faults that are each another do not fill the memory', async (t) => {
  let told = 0;
  const fault = repeatFilter(manualClock(), () => {
    told += 1;
  });
  for (let i = 0; i < 1000; i += 1) fault('x', String(i));
  fault('x', '0');
  t.equal(told, 1001, 'the first was forgotten');
});
