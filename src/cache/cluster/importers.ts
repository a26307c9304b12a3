import { ReplyError } from 'ioredis';
import type { Clock } from '../../clock.ts';
import type { ClusterPlace } from '../redis/cluster-place.ts';
import { visit } from './visit.ts';

/** A master is taken for gone that could not be told anything for so long, in milliseconds. */
const GONE_MS = 1000;

/**
 * The masters that slots of another one are being moved to. Keys that have moved are removed there, too: they are believed nowhere while the
 * slot moves, nor when it has moved, but they are where they came from when the move is given up.
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#ask-redirection)
 */
export class Importers {
  readonly #place: ClusterPlace;
  readonly #host: string;
  readonly #clock: Clock;
  readonly #onError: (error: Error) => void;
  /** When the first attempt was made of those that have failed since one succeeded, by address. */
  readonly #failingSince = new Map<string, number>();

  /**
   * @param place how the nodes of the cluster are reached
   * @param host where the master is that gives slots away: one that does not say where it is, is there
   * @param clock the time
   * @param onError told of each master that cannot be told
   */
  constructor(place: ClusterPlace, host: string, clock: Clock, onError: (error: Error) => void) {
    this.#place = place;
    this.#host = host;
    this.#clock = clock;
    this.#onError = onError;
  }

  /**
   * Removes keys.
   *
   * @param asked the keys, by the address that the master which gives them away has named
   * @throws when a master that is not taken for gone cannot be told
   */
  async remove(asked: ReadonlyMap<string, readonly string[]>): Promise<void> {
    await Promise.all([...asked].map(([address, keys]) => this.#removeAt(address, keys)));
  }

  async #removeAt(address: string, keys: readonly string[]): Promise<void> {
    const at = address.lastIndexOf(':');
    const named = address.slice(0, at);
    const host = named === '' || named === '?' ? this.#host : named;
    const begun = this.#clock.now();
    try {
      await visit(this.#place, { host, port: Number(address.slice(at + 1)) }, this.#clock, async (redis) => {
        const sent = await Promise.allSettled(keys.flatMap((key) => [redis.asking(), redis.unlink(key)]));
        for (const one of sent) {
          // It has not the slot by now, nor is it being given it. Who gave it away is asked once more.
          const isMoved =
            one.status === 'rejected' && one.reason instanceof ReplyError && /^MOVED /.test(one.reason.message);
          if (one.status === 'rejected' && !isMoved) throw one.reason;
        }
      });
      this.#failingSince.delete(address);
    } catch (error) {
      const failure = new Error(`What changed cannot be removed at ${address}, where its slot is being moved to.`, {
        cause: error,
      });
      this.#onError(failure);
      const since = this.#failingSince.get(address) ?? begun;
      this.#failingSince.set(address, since);
      if (begun - since < GONE_MS) throw failure;
    }
  }
}
