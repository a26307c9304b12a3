import type { Clock } from '../../clock.ts';

/** Who did not acknowledge so often in a row is given up. */
const SILENCES = 3;

/** And is told before, so that it may begin anew. */
const WARNING = SILENCES - 1;

/** A process that has not heard for so long that it hears does not believe its memory, in milliseconds. */
export const DEAF_MS = 1000;

/** What is known of a process that did not acknowledge. */
interface Silence {
  missed: number;
  /** Since when what tells it that it is given up has been at Redis; infinite while it is not. */
  toldAt: number;
}

/** How a process that is given up is told so, and who else hears of it. */
export interface SilenceListener {
  /**
   * @param process where it is replied to
   * @returns whether Redis has it
   */
  tell(process: string): Promise<boolean>;
  /** A process is waited for no more, or again. */
  onSilence(process: string, silent: boolean): void;
}

/**
 * Which processes are waited for when they are told to forget something: all that listen, but for those that were stopped or hang, and
 * do not acknowledge.
 *
 * Such a process may wake up, and must not answer from its memory what it has not forgotten. It believes its memory for as long as what it
 * asks its subscription comes back, in order with all that it is told (`DEAF_MS`). It is given up only when it was told so longer ago than
 * that: then it has either heard that, and takes a new name under which it is waited for, or it believes nothing.
 */
export class Acknowledgers {
  readonly #clock: Clock;
  readonly #listener: SilenceListener;
  readonly #silences = new Map<string, Silence>();
  readonly #givenUp = new Set<string>();

  /**
   * @param clock the time
   * @param listener how processes are told
   */
  constructor(clock: Clock, listener: SilenceListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Those that are waited for no more. */
  get silent(): readonly string[] {
    return [...this.#givenUp];
  }

  /**
   * @param processes those that listen now
   * @returns those of them that are to be waited for
   */
  waitedFor(processes: readonly string[]): string[] {
    if (this.#silences.size === 0) return [...processes];
    const listening = new Set(processes);
    for (const process of this.#silences.keys()) if (!listening.has(process)) this.acknowledged(process);
    return processes.filter((process) => !this.#isGivenUp(process));
  }

  /** @param process one that has acknowledged, or listens no more */
  acknowledged(process: string): void {
    this.#silences.delete(process);
    if (this.#givenUp.delete(process)) this.#listener.onSilence(process, false);
  }

  /** @param process one that has not acknowledged in time */
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
