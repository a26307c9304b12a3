import { type Redis, ReplyError } from 'ioredis';
import { reasonOf } from '../../reason-of.ts';
import type { Trace } from '../../trace/trace.ts';
import type { ClusterPlace } from '../redis/cluster-place.ts';
import { type Brought, roundTrip } from '../redis/round-trip.ts';
import { visit } from './visit.ts';

/** A master that could not be told anything for so long is taken for gone, in milliseconds. */
const GONE_MS = 1000;

/** A failure is of another move when nothing was tried for so long after it, in milliseconds. */
const FORGET_MS = 3000;

/**
 * The masters that slots of another one are being moved to. Keys that have moved are removed there, too: they are believed nowhere while the
 * slot moves, nor when it has moved, but they are where they came from when the move is given up.
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#ask-redirection)
 */
export class Importers {
  readonly #place: ClusterPlace;
  readonly #host: string;
  readonly #upkeep: Trace;
  readonly #onError: (error: Error) => void;
  /** Of the attempts that have failed since one succeeded, when the first began and the last ended, by address. */
  readonly #failing = new Map<string, { readonly since: number; readonly last: number }>();

  /**
   * @param place how the nodes of the cluster are reached
   * @param host where the master is that gives slots away: one that does not say where it is, is there
   * @param upkeep counts what is asked, and has the time
   * @param onError told of what is not removed because its master is taken for gone
   */
  constructor(place: ClusterPlace, host: string, upkeep: Trace, onError: (error: Error) => void) {
    this.#place = place;
    this.#host = host;
    this.#upkeep = upkeep;
    this.#onError = onError;
  }

  /**
   * Removes keys.
   *
   * @param asked the keys, by the address that the master which gives them away has named
   * @throws when a master cannot be told, unless it is taken for gone: then `onError` is told
   */
  async remove(asked: ReadonlyMap<string, readonly string[]>): Promise<void> {
    await Promise.all([...asked].map(([address, keys]) => this.#removeAt(address, keys)));
  }

  async #removeAt(address: string, keys: readonly string[]): Promise<void> {
    const colon = address.lastIndexOf(':');
    const named = address.slice(0, colon);
    const host = named === '' || named === '?' ? this.#host : named;
    const { clock } = this.#upkeep;
    const at = { host, port: Number(address.slice(colon + 1)) };
    const send = () => visit(this.#place, at, clock, (redis) => unlinkAsked(redis, keys));
    const begun = clock.now();
    try {
      await roundTrip('UNLINK', keys, send, this.#upkeep, `${at.host}:${at.port}`);
      this.#failing.delete(address);
    } catch (error) {
      const before = this.#failing.get(address);
      // What failed at a move before this one says nothing of now.
      const since = before !== undefined && begun - before.last < FORGET_MS ? before.since : begun;
      this.#failing.set(address, { since, last: clock.now() });
      const failed = `What changed cannot be removed at ${address}, where its slot is being moved to: ${reasonOf(error)}`;
      if (begun - since < GONE_MS) throw new Error(failed, { cause: error });
      this.#onError(new Error(`${failed} It is not tried again.`, { cause: error }));
    }
  }
}

/** Removes keys of slots that a master is being given. */
async function unlinkAsked(redis: Redis, keys: readonly string[]): Promise<Brought<null>> {
  const sent = await Promise.allSettled(keys.flatMap((key) => [redis.asking(), redis.unlink(key)]));
  for (const one of sent) {
    // It does not have the slot, and is not being given it: what it held of that is nowhere answered.
    const isMoved = one.status === 'rejected' && one.reason instanceof ReplyError && /^MOVED /.test(one.reason.message);
    if (one.status === 'rejected' && !isMoved) throw one.reason;
  }
  return { commands: sent.length, answer: null };
}
