/** Time, as a parameter of whatever waits or measures, so that a test can drive it. */
export interface Clock {
  /** @returns milliseconds on a monotonic clock, as `performance.now()` gives them */
  now(): number;
  /** @returns milliseconds of the time of day, as `Date.now()` gives them. They go on while the machine is suspended, as `now` may not. */
  wall?(): number;
  /**
   * @param ms how long to wait, in milliseconds
   * @param callback called once after that time
   * @returns cancels it
   */
  after(ms: number, callback: () => void): () => void;
  /**
   * @param ms the period, in milliseconds
   * @param callback called once in each period; it alone keeps no process alive
   * @returns cancels it
   */
  tick(ms: number, callback: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  tick: (ms, callback) => {
    const timer = setInterval(callback, ms).unref();
    return () => clearInterval(timer);
  },
};

/**
 * @param clock the time
 * @param ms how long to wait, in milliseconds
 * @returns settles after that time
 */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/**
 * @param clock the time
 * @param now what its monotonic clock says
 * @returns how far its time of day is ahead of that, in milliseconds: by more than before, once the machine has been suspended. 0 where the
 *   clock knows no time of day
 */
export function aheadMs(clock: Clock, now = clock.now()): number {
  return (clock.wall?.() ?? now) - now;
}
