import { type Clock, sleep } from '../../clock.ts';

/**
 * Lets work through one at a time, each in a turn of the event loop of its own, and with its own time in between if that is a
 * millisecond or more, so that a stream of such takes half of the time at most and whatever else is there to do the other half. Without
 * it, all that came in at the same time is worked on before anything else is looked at.
 *
 * @param clock the time
 * @returns does work in its turn, in the order of asking, and returns or throws what the work does
 */
export function createTurns(clock: Clock): <T>(work: () => T) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let restUntil = 0;
  return (work) => {
    const mine = last.then(async () => {
      const rest = restUntil - clock.now();
      // An immediate that is set during another one runs in the next turn, and so does one that is set by a timer.
      // A timer leaves out what is less than a millisecond.
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
