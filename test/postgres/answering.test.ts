import { t } from 'tap';
import { isAnswering } from '../../src/postgres/answering.ts';
import { manualClock } from '../support/manual-clock.ts';

t.test('another connection tells where all of requests are busy, and not where they are refused', async (t) => {
  const clock = manualClock();
  let asides = 0;
  const ask = (own: Promise<boolean>, aside: boolean) =>
    isAnswering(
      { ping: () => own, clock },
      {
        ping: async () => {
          asides += 1;
          return aside;
        },
      },
    );
  t.equal(await ask(Promise.resolve(true), false), true);
  t.equal(await ask(Promise.resolve(false), true), false, 'Postgres refuses connections');
  t.equal(asides, 0);
  const busy = ask(new Promise(() => {}), true);
  await clock.advance(100);
  t.equal(await busy, true);
  let end = (_answers: boolean) => {};
  const gone = ask(new Promise((resolve) => (end = resolve)), false);
  await clock.advance(100);
  end(false);
  t.equal(await gone, false);
  t.equal(asides, 2);
});
