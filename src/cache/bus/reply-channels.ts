import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * Where processes are replied to: each has a channel that tells its host and its id there, and another one for each subscription, so that
 * who waits for the one does not wait for the other.
 */
export class ReplyChannels {
  readonly #start: string;
  #own: string;

  /** @param prefix put before the channels' names */
  constructor(prefix: string) {
    this.#start = `${prefix}larder:acknowledgements:`;
    this.#own = this.renew();
  }

  /** This process' own. */
  get own(): string {
    return this.#own;
  }

  /** All of them, as a pattern for Redis. */
  get pattern(): string {
    return `${this.#start.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
  }

  /** @returns another one for this process */
  renew(): string {
    this.#own = `${this.#start}${hostname()}:${process.pid}:${randomUUID()}`;
    return this.#own;
  }

  /**
   * @param channel one of them
   * @returns whose it is: the host and the id there
   */
  processOf(channel: string): string {
    return channel.slice(this.#start.length).replace(/:[^:]*$/, '');
  }
}
