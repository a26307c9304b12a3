import type { Echo } from './messages.ts';

/** What a process does with messages. */
export interface BusListener {
  /**
   * Rows behind some keys have changed.
   *
   * @param keys their cache keys
   */
  onKeys(keys: string[]): void;
  /** @param connected whether messages arrive from now on; while they do not, nothing in memory is known to be current */
  onConnected(connected: boolean): void;
  /**
   * An echo has come back, after every message that was published before it.
   *
   * @param echo what this process sent itself
   */
  onEcho(echo: Echo): void;
  /**
   * Every message has arrived that was published before some time.
   *
   * @param asOf the time, in milliseconds on the monotonic clock
   */
  onAlive(asOf: number): void;
  /**
   * A process does not acknowledge, or does so again.
   *
   * @param process its host and its process id
   * @param silent whether it is no longer waited for
   */
  onSilence(process: string, silent: boolean): void;
}
