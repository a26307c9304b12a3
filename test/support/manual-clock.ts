import type { Clock } from '../../src/clock.ts';

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time on, calling back what becomes due in the order of its time, and lets promises settle in between.
   *
   * @param ms how far, in milliseconds
   */
  advance(ms: number): Promise<void>;
  /** How many callbacks wait. */
  readonly waiting: number;
}

/**
 * @param start what the clock shows first, in milliseconds
 * @returns the clock
 */
export function manualClock(start = 1_000): ManualClock {
  let now = start;
  let order = 0;
  const timers = new Map<number, { due: number; callback: () => void; every: number | null }>();
  const add = (ms: number, callback: () => void, every: number | null) => {
    order += 1;
    const key = order;
    timers.set(key, { due: now + Math.max(ms, 0), callback, every });
    return () => {
      timers.delete(key);
    };
  };
  return {
    now: () => now,
    after: (ms, callback) => add(ms, callback, null),
    tick: (ms, callback) => add(ms, callback, ms),
    get waiting() {
      return timers.size;
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const next = [...timers]
          .filter(([, { due }]) => due <= end)
          .sort(([a, x], [b, y]) => x.due - y.due || a - b)[0];
        if (next === undefined) break;
        const [key, timer] = next;
        now = Math.max(now, timer.due);
        if (timer.every === null) timers.delete(key);
        else timer.due = now + timer.every;
        timer.callback();
      }
      now = end;
      await settle();
    },
  };
}

/** Lets what has been resolved go on, input and output that has arrived included. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
