import { type Clock, sleep } from '../../clock.ts';

/**
 * Runs work one piece at a time, each in its own turn of the event loop. After a piece that took a millisecond or more, it pauses for as
 * long. So a stream of such work takes half of the time at most. Without it, all work that came at once would run before anything else.
 *
 * @param clock the time
 * @returns runs work in the order of asking, and returns or throws what the work does
 */
export function createTurns(clock: Clock): <T>(work: () => T) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let restUntil = 0;
  return (work) => {
    const mine = last.then(async () => {
      const rest = restUntil - clock.now();
      // An immediate that is set within another, or by a timer, runs in the next turn. A timer ignores less than a millisecond.
      if (rest >= 1) await sleep(clock, Math.ceil(rest));
      await new Promise((resolve) => setImmediate(resolve));
      const started = clock.now();
      try {
        return work();
      } finally {
        const ended = clock.now();
        restUntil = ended + (ended - started);
      }
    });
    last = mine.then(
      () => {},
      () => {},
    );
    return mine;
  };
}
