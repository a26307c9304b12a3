import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * The channels on which processes receive replies. The name of each has the host and the process id, and a part that is new for each
 * subscription. So nobody waits for an earlier subscription.
 */
export class ReplyChannels {
  readonly #start: string;
  #own: string;

  /** @param prefix comes before the channels' names */
  constructor(prefix: string) {
    this.#start = `${prefix}larder:acknowledgements:`;
    this.#own = this.renew();
  }

  /** The channel of this process. */
  get own(): string {
    return this.#own;
  }

  /** All reply channels, as a pattern for Redis. */
  get pattern(): string {
    return `${this.#start.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
  }

  /** @returns a new channel for this process */
  renew(): string {
    this.#own = `${this.#start}${hostname()}:${process.pid}:${randomUUID()}`;
    return this.#own;
  }

  /**
   * @param channel a reply channel
   * @returns the process: its host and its process id
   */
  processOf(channel: string): string {
    return channel.slice(this.#start.length).replace(/:[^:]*$/, '');
  }
}
