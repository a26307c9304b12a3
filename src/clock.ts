/** Time, handed in to whatever waits or measures, so that a test may drive it. */
export interface Clock {
  /** @returns milliseconds on a monotonic clock, as `performance.now()` counts them */
  now(): number;
  /**
   * @param ms how long to wait, in milliseconds
   * @param callback called once when that time has passed
   * @returns ends the waiting
   */
  after(ms: number, callback: () => void): () => void;
  /**
   * @param ms how often, in milliseconds
   * @param callback called each time that so much has passed; it alone keeps no process alive
   * @returns ends the ticking
   */
  tick(ms: number, callback: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
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
 * @returns settles when that time has passed
 */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
