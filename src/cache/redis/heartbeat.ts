import type { Clock } from '../../clock.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Presented, Share } from '../share.ts';
import type { RedisConnection } from './connection.ts';
import { integer, list, text } from './replies.ts';
import { roundTrip } from './round-trip.ts';

/** A run begins with the id of its process, which is so long. */
const PROCESS_LENGTH = 40;

/** What the script makes Redis do, itself included. */
const BEAT_COMMANDS = 4;

/** The keys that say whose a Redis is and that it is vouched for. */
export interface Names {
  readonly heartbeat: string;
  readonly domain: string;
}

/**
 * @param prefix put before every key
 * @returns what the keys of a single Redis are called
 */
export function namesAfter(prefix: string): () => Names {
  const names = { heartbeat: `${prefix}larder:heartbeat`, domain: `${prefix}larder:domain` };
  return () => names;
}

/** The key by which a run of Redis is vouched for, as long as it is there, and the one that says which domain it is. */
export class Heartbeat {
  readonly #names: () => Names;
  /** What it is called in figures as a node of a cluster; `null` for a single Redis. */
  readonly #label: string | null;
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #upkeep: Trace;
  /** Which run of Redis was met last, by which connection, and how far its clock is ahead of ours at least. */
  #met = { run: '', connection: -1, aheadMs: 0 };

  /**
   * @param connection the connection to Redis
   * @param names the names of the keys, which change with the slots of a node
   * @param upkeep counts what no request has asked for
   * @param label what it is called in figures as a node of a cluster; `null` for a single Redis
   */
  constructor(connection: RedisConnection, names: () => Names, upkeep: Trace, label: string | null) {
    this.#connection = connection;
    this.#clock = upkeep.clock;
    this.#upkeep = upkeep;
    this.#label = label;
    this.#names = names;
  }

  /** The key that vouches. */
  get key(): string {
    return this.#names().heartbeat;
  }

  /**
   * Whether what is said to Redis now is said to a run.
   *
   * @param run a run of Redis
   * @returns a function that tells whether that has been so all the while; `null` when it is not so
   */
  meets(run: string): (() => boolean) | null {
    const { number } = this.#connection;
    const met = () => this.#met.run === run && this.#met.connection === number && this.#connection.number === number;
    return met() ? met : null;
  }

  /**
   * Finds out which run of Redis this is and which domain.
   *
   * @returns the run, and what it holds
   * @throws when Redis does not answer
   */
  async meet(): Promise<Presented> {
    return this.#send('', 0, '', []);
  }

  /**
   * Shows Redis that a share is of its domain, and vouches for every body that was read in it, for a while that begins now and not when
   * Redis hears of it.
   *
   * @param share the share
   * @param ms how long, in milliseconds; 0 to vouch for nothing
   * @returns what Redis said
   * @throws when Redis cannot be told
   */
  async present(share: Share, ms: number): Promise<Presented> {
    const deadline = ms <= 0 ? 0 : Math.floor(this.#clock.now() + ms);
    // Its clock is known of a run that was met.
    if (this.meets(share.run) === null) {
      const met = await this.meet();
      if (met.run !== share.run) return met;
    }
    const at = deadline === 0 ? 0 : Math.floor(deadline + this.#met.aheadMs);
    const { mark, previousMark, acceptedMark = previousMark } = share;
    return this.#send(share.run, at, share.generation, [mark, previousMark, acceptedMark]);
  }

  async #send(run: string, deadline: number, generation: string, marks: readonly string[]): Promise<Presented> {
    const { number } = this.#connection;
    const [mark = '', previous = '', accepted = ''] = marks;
    const { heartbeat, domain } = this.#names();
    const keys = [heartbeat, domain];
    const isNode = this.#label !== null;
    const send = async () => {
      const { redis } = this.#connection;
      const said = [...keys, run, deadline, generation, mark, previous, accepted];
      const reply = await (isNode ? redis.larderNodeBeat(...said) : redis.larderBeat(...said));
      const [found, now, held] = list('larderBeat', reply, 3);
      const answer = {
        run: text('larderBeat', found) ?? '',
        now: integer('larderBeat', now),
        held: text('larderBeat', held),
      };
      return { commands: BEAT_COMMANDS + Number(isNode), answer };
    };
    const reply = await roundTrip('larderBeat', keys, () => this.#connection.sound(send), this.#upkeep, this.#label);
    this.#connection.met(reply.run.slice(0, PROCESS_LENGTH), number);
    this.#met = { run: reply.run, connection: number, aheadMs: reply.now - this.#clock.now() };
    const ours = reply.run === run && reply.held === mark;
    const epoch = ours && reply.now < deadline ? run + generation : null;
    return { run: reply.run, held: reply.held, accepted: ours, epoch };
  }
}
