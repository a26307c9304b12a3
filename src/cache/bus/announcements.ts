import type { Clock } from '../../clock.ts';
import type { Told } from '../redis/send-invalidation.ts';
import { Acknowledgers, type SilenceListener } from './acknowledgers.ts';

/** A message that is waited for until those that it was for have acknowledged it. */
interface Announcement {
  readonly acknowledged: Set<string>;
  done: () => void;
}

/** What this process tells others and waits for. */
export class Announcements {
  readonly #clock: Clock;
  readonly #acknowledgers: Acknowledgers;
  readonly #waiting = new Map<number, Announcement>();
  #number = 0;

  /**
   * @param clock the time
   * @param listener how processes are told that they are given up
   */
  constructor(clock: Clock, listener: SilenceListener) {
    this.#clock = clock;
    this.#acknowledgers = new Acknowledgers(clock, listener);
  }

  /** Those that are waited for no more, by where they are replied to. */
  get silent(): readonly string[] {
    return this.#acknowledgers.silent;
  }

  /**
   * Begins to count the acknowledgements of a message that is about to be published: they may come before Redis has said whose.
   *
   * @returns its number
   */
  begin(): number {
    this.#number += 1;
    this.#waiting.set(this.#number, { acknowledged: new Set(), done: () => {} });
    return this.#number;
  }

  /**
   * @param number the number of a message
   * @param from who has acknowledged it
   */
  acknowledged(number: number, from: string): void {
    this.#acknowledgers.acknowledged(from);
    const announcement = this.#waiting.get(number);
    if (announcement === undefined) return;
    announcement.acknowledged.add(from);
    announcement.done();
  }

  /**
   * Waits until a message was acknowledged by all that it is for. Where it was for nobody, or Redis did not take it, whoever may still
   * listen gets all the time to forget by itself.
   *
   * @param number the message's number
   * @param told who was told; `null` when Redis did not say
   * @param own where this process is replied to
   * @param ms how long to wait at most, in milliseconds
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
    // Where our own is missing, it is we who do not hear.
    if (awaited === null || !acknowledged.has(own)) return;
    for (const process of awaited) if (!acknowledged.has(process)) this.#acknowledgers.missed(process);
  }
}
