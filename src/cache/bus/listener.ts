import type { Echo } from './messages.ts';

/** What a process does about messages. */
export interface BusListener {
  /** Rows behind these keys changed. */
  onKeys(keys: string[]): void;
  /** Whether messages arrive from now on. While they do not, nothing in memory is known to be current. */
  onConnected(connected: boolean): void;
  /** What this process told itself has come back, after every message that was published before. */
  onEcho(echo: Echo): void;
  /** Every message has arrived that was published before some time on the monotonic clock. */
  onAlive(asOf: number): void;
  /** A process, by its host and its id there, is waited for no more, or again. */
  onSilence(process: string, silent: boolean): void;
}
