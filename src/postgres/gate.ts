import type { Clock } from '../clock.ts';

/** Why a gate refused a place. */
export class GateClosed extends Error {
  override name = 'GateClosed';
}

/** Limits how many are inside and how many wait. Under overload it refuses the surplus at once, instead of letting it pile up. */
export class Gate {
  readonly #capacity: number;
  readonly #maxWaiting: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  /**
   * @param capacity how many may be inside
   * @param maxWaiting how many may wait
   * @param clock the time
   */
  constructor(capacity: number, maxWaiting: number, clock: Clock) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#maxWaiting = maxWaiting;
  }

  /** How many are inside. */
  get inside(): number {
    return this.#inside;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a place, in the order of arrival. Whoever got a place calls `leave` once.
   *
   * @param ms how long to wait at most, in milliseconds
   * @throws {GateClosed} when too many wait, or when no place became free in time
   */
  async enter(ms: number): Promise<void> {
    if (ms <= 0) throw new GateClosed('no time is left');
    if (this.#inside < this.#capacity) {
      this.#inside += 1;
      return;
    }
    if (this.#waiting.size >= this.#maxWaiting) throw new GateClosed(`${this.#maxWaiting} are waiting already`);
    await new Promise<void>((resolve, reject) => {
      const admit = () => {
        stop();
        resolve();
      };
      const stop = this.#clock.after(ms, () => {
        this.#waiting.delete(admit);
        reject(new GateClosed(`no place within ${Math.round(ms)} ms`));
      });
      this.#waiting.add(admit);
    });
  }

  /** Gives the place to the one who has waited longest, or frees it. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside -= 1;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
