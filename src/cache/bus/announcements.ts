import type { Clock } from '../../clock.ts';
import type { Told } from '../redis/send-invalidation.ts';
import { Acknowledgers, type SilenceListener } from './acknowledgers.ts';

/** A message, and the processes that have to acknowledge it. */
interface Announcement {
  readonly acknowledged: Set<string>;
  done: () => void;
}

/** The messages of this process that wait for acknowledgements. */
export class Announcements {
  readonly #clock: Clock;
  readonly #acknowledgers: Acknowledgers;
  readonly #waiting = new Map<number, Announcement>();
  #number = 0;

  /**
   * @param clock the time
   * @param listener warns processes that do not acknowledge
   */
  constructor(clock: Clock, listener: SilenceListener) {
    this.#clock = clock;
    this.#acknowledgers = new Acknowledgers(clock, listener);
  }

  /** The processes that are no longer waited for, by their reply channels. */
  get silent(): readonly string[] {
    return this.#acknowledgers.silent;
  }

  /**
   * Begins to count the acknowledgements of a message before it is published. They may come before Redis has said which processes listen.
   *
   * @returns the message's number
   */
  begin(): number {
    this.#number += 1;
    this.#waiting.set(this.#number, { acknowledged: new Set(), done: () => {} });
    return this.#number;
  }

  /**
   * @param number the number of a message
   * @param from the reply channel of a process that has acknowledged it
   */
  acknowledged(number: number, from: string): void {
    this.#acknowledgers.acknowledged(from);
    const announcement = this.#waiting.get(number);
    if (announcement === undefined) return;
    announcement.acknowledged.add(from);
    announcement.done();
  }

  /**
   * Waits until all processes have acknowledged a message. When Redis named none, or did not take the message, it waits for the whole time:
   * then a process that listens after all has stopped trusting its memory.
   *
   * @param number the message's number
   * @param told who received it; `null` when Redis did not say
   * @param own this process' reply channel
   * @param ms the longest wait, in milliseconds
   */
  async wait(number: number, told: Told | null, own: string, ms: number): Promise<void> {
    const announcement = this.#waiting.get(number);
    if (announcement === undefined) return;
    const { acknowledged } = announcement;
    const processes = told?.processes ?? null;
    const awaited = processes === null ? null : this.#acknowledgers.waitedFor(processes);
    const isNobody = told === null || told.receivers === 0 || processes?.length === 0;
    const isDone = () => {
      if (isNobody) return false;
      return awaited === null ? acknowledged.size >= told.receivers : awaited.every((one) => acknowledged.has(one));
    };
    if (!isDone()) {
      await new Promise<void>((resolve) => {
        const stop = this.#clock.after(ms, resolve);
        announcement.done = () => {
          if (!isDone()) return;
          stop();
          resolve();
        };
      });
    }
    this.#waiting.delete(number);
    // When this process' own acknowledgement is missing, the fault is its own subscription.
    if (awaited === null || !acknowledged.has(own)) return;
    for (const process of awaited) if (!acknowledged.has(process)) this.#acknowledgers.missed(process);
  }
}
