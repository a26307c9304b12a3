import type { Clock } from '../clock.ts';
import type { Trace } from '../trace/trace.ts';
import { DatabaseUnavailable, databaseError } from './errors.ts';
import { GRACE_MS } from './session-settings.ts';

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
    if (this.#waiting.size >= this.#maxWaiting) throw new GateClosed(`${this.#maxWaiting} statements wait already`);
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

/** How long things may take. */
export interface Limits {
  /** How long a statement may take, in milliseconds. */
  readonly statementTimeoutMs: number;
  /** How long a request may take, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Takes a place at each gate while an action is under way, and limits the time. The limit is that of a statement, with its wait for places,
 * or the rest of the request's time when that is less. `statement_timeout` is Postgres' own limit. It does not help against a stopped
 * backend, a silent network or a busy pool, so the wait is limited here, too.
 *
 * @param limits how long it may take
 * @param gates the gates, in this order
 * @param name the action's name in errors
 * @param trace the request's trace, which knows how long the request has taken, and is told when its time is over
 * @param action the action; its argument tells whether the time is over
 * @returns what the action returns
 * @throws {DatabaseUnavailable} when there is no place, or the time is over
 * @throws what the action throws, as `databaseError` classifies it
 */
export async function guarded<T>(
  limits: Limits,
  gates: readonly Gate[],
  name: string,
  trace: Trace,
  action: (expired: () => boolean) => Promise<T>,
): Promise<T> {
  const { clock } = limits;
  const started = clock.now();
  const untilMs = trace.started + limits.requestTimeoutMs;
  const left = () => Math.min(started + limits.statementTimeoutMs, untilMs) - clock.now();
  let expired = false;
  let stop = () => {};
  try {
    const leave = await enter(gates, left, name);
    // The places stay taken while Postgres has the work, even when the time is over.
    const answer = action(() => expired).finally(leave);
    const limit = new Promise<never>((_resolve, reject) => {
      stop = clock.after(Math.min(left() + GRACE_MS, untilMs - clock.now()), () => {
        expired = true;
        reject(new DatabaseUnavailable(`Postgres did not answer ${name} in time.`));
      });
    });
    return await Promise.race([answer, limit]);
  } catch (error) {
    // A timer of the machine may come less than a millisecond early.
    if (untilMs - clock.now() < 1) trace.runOutOfTime();
    throw databaseError(error);
  } finally {
    stop();
  }
}

/** Enters gates one after the other, and returns a function that leaves them. */
async function enter(gates: readonly Gate[], left: () => number, name: string): Promise<() => void> {
  const entered: Gate[] = [];
  const leave = () => {
    for (const gate of entered) gate.leave();
  };
  try {
    for (const gate of gates) {
      await gate.enter(left());
      entered.push(gate);
    }
  } catch (error) {
    leave();
    if (!(error instanceof GateClosed)) throw error;
    throw new DatabaseUnavailable(`Postgres has no place for ${name}: ${error.message}.`);
  }
  return leave;
}
