import type { Clock } from '../../clock.ts';

/** A process that did not acknowledge this often in a row is no longer waited for. */
const SILENCES = 3;

/** It is warned before, so that it can subscribe again. */
const WARNING = SILENCES - 1;

/** How long a process trusts its memory without an answer on its subscription, in milliseconds. */
export const DEAF_MS = 1000;

/** A process that did not acknowledge. */
interface Silence {
  missed: number;
  /** When Redis took the warning, in milliseconds on the monotonic clock; infinite until it does. */
  toldAt: number;
}

/** How a process is warned, and who else is told of it. */
export interface SilenceListener {
  /**
   * Warns a process that it will no longer be waited for.
   *
   * @param process its reply channel
   * @returns whether Redis took the warning
   */
  tell(process: string): Promise<boolean>;
  /**
   * @param process the reply channel of a process
   * @param silent whether it is no longer waited for, or is again
   */
  onSilence(process: string, silent: boolean): void;
}

/**
 * Chooses the processes that an invalidation waits for. These are all that listen, except those that were stopped or hang, and do not
 * acknowledge.
 *
 * Such a process may go on, and must not answer from its memory what it has not forgotten. A process trusts its memory only while answers
 * come back on its subscription, in order with all invalidations (`DEAF_MS`). It is no longer waited for only when its warning is older
 * than that. By then, it has either received the warning and taken a new name, under which it is waited for, or it trusts nothing.
 */
export class Acknowledgers {
  readonly #clock: Clock;
  readonly #listener: SilenceListener;
  readonly #silences = new Map<string, Silence>();
  readonly #givenUp = new Set<string>();

  /**
   * @param clock the time
   * @param listener warns processes
   */
  constructor(clock: Clock, listener: SilenceListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** The processes that are no longer waited for, by their reply channels. */
  get silent(): readonly string[] {
    return [...this.#givenUp];
  }

  /**
   * @param processes the processes that listen now, by their reply channels
   * @returns those of them to wait for
   */
  waitedFor(processes: readonly string[]): string[] {
    if (this.#silences.size === 0) return [...processes];
    const listening = new Set(processes);
    for (const process of this.#silences.keys()) if (!listening.has(process)) this.acknowledged(process);
    return processes.filter((process) => !this.#isGivenUp(process));
  }

  /** @param process a process that has acknowledged, or no longer listens */
  acknowledged(process: string): void {
    this.#silences.delete(process);
    if (this.#givenUp.delete(process)) this.#listener.onSilence(process, false);
  }

  /** @param process a process that has not acknowledged in time */
  missed(process: string): void {
    const silence = this.#silences.get(process) ?? { missed: 0, toldAt: Number.POSITIVE_INFINITY };
    silence.missed += 1;
    this.#silences.set(process, silence);
    if (silence.missed < WARNING || Number.isFinite(silence.toldAt)) return;
    void this.#listener.tell(process).then((told) => {
      if (told) silence.toldAt = Math.min(silence.toldAt, this.#clock.now());
    });
  }

  #isGivenUp(process: string): boolean {
    const silence = this.#silences.get(process);
    if (silence === undefined || silence.missed < SILENCES) return false;
    if (this.#clock.now() - silence.toldAt < DEAF_MS) return false;
    if (!this.#givenUp.has(process)) {
      this.#givenUp.add(process);
      this.#listener.onSilence(process, true);
    }
    return true;
  }
}
