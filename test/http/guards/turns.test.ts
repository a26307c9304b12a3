import { t } from 'tap';
import { systemClock } from '../../../src/clock.ts';
import { createTurns } from '../../../src/http/guards/turns.ts';

const MS = 20;

/** Keeps the event loop busy. */
function toil(): { started: number; ended: number } {
  const started = performance.now();
  while (performance.now() - started < MS);
  return { started, ended: performance.now() };
}

t.test('work is done in the order of asking, and what fails keeps nobody', async (t) => {
  const inTurn = createTurns(systemClock);
  const done: number[] = [];
  const results = await Promise.allSettled(
    [1, 2, 3].map((i) =>
      inTurn(() => {
        done.push(i);
        if (i === 2) throw new TypeError('no');
        return i;
      }),
    ),
  );
  t.match(results, [{ value: 1 }, { reason: { message: 'no' } }, { value: 3 }]);
  t.same(done, [1, 2, 3]);
});

t.test('others have as much time as the work took', async (t) => {
  let turns = 0;
  // Where the machine gives that time to somebody else, others of this process have none of it.
  for (let attempt = 1; turns <= 1 && attempt <= 20; attempt += 1) {
    const inTurn = createTurns(systemClock);
    turns = 0;
    const others = setInterval(() => {
      turns += 1;
    }, 1);
    const [first, second] = await Promise.all([inTurn(toil), inTurn(toil)]);
    clearInterval(others);
    // A timer may be early by a millisecond.
    t.ok(second.started - first.ended > MS - 2, `${second.started - first.ended} ms`);
  }
  t.ok(turns > 1, `others had ${turns} turns`);
});
