import { randomUUID } from 'node:crypto';
import type { EntityCache } from '../cache/entity-cache.ts';
import type { RedisTier } from '../cache/redis/tier.ts';
import type { Presented } from '../cache/share.ts';
import type { Database } from '../postgres/client.ts';
import { Admission } from './admission.ts';
import { CLEANER } from './clean-outbox.ts';
import { type Domain, lookAtDomain, registerDomain, removeDomain, renewDomain } from './domains.ts';
import { decodeMark, markOf, previousMarkOf, shareOf } from './mark.ts';
import { turnToken } from './outbox.ts';

/** What a membership is made of. */
export interface MembershipOptions {
  readonly database: Database;
  readonly cache: EntityCache;
  readonly redis: RedisTier;
  /** Told of each look, whether or not Redis answers and accepts it, and whether what waits there waits for this process. */
  readonly onLook?: (seen: Domain | null, waits: boolean, lookedAt: number) => void;
  /** Told once why this process may not use what Redis holds, and with `null` when it may again. */
  readonly onRefused: (reason: string | null) => void;
}

/** A domain as Postgres described it. */
export interface Standing {
  readonly domain: Domain;
  /** A time before Postgres was asked, in milliseconds on the monotonic clock. */
  readonly lookedAt: number;
}

/**
 * How often this process tries to agree with Redis. When two servers rotate the token at once, one of them looks again. A server of the
 * domain never needs as many tries.
 */
const ATTEMPTS = 5;

/** How often the token is rotated, in milliseconds. After that time, a copy of the database has an outdated token. */
const TURN_MS = 2000;

/** How long an emptied Redis is left to the servers that it belonged to, in milliseconds. They come back sooner than this. */
const CLAIM_MS = 5000;

/**
 * Finds out to which cache domain this process belongs. Redis names the domain, and Postgres has it in its register. This process uses what
 * Redis holds only while both have the same newest token.
 *
 * A copy of the database has the row of the domain, too. The original rotates its token, which makes the copy's token outdated. So a
 * process first rotates the token: only one of the two databases can do so.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #admission: Admission;
  #id: string | null = null;
  /** The id of a domain that this process registered, and that Redis does not know yet. */
  #claim: string | null = null;
  /** The start time of the Postgres that was asked last. */
  #instance = '';
  /** The token that Redis held last. */
  #confirmed = '';
  #emptySince: number | null = null;

  /** @param options the stores, and whom to tell */
  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#admission = new Admission(options.cache, options.onRefused);
  }

  /** Why this process may not use what Redis holds; `null` when it may, or when that is not known yet. */
  get refused(): string | null {
    return this.#admission.refused;
  }

  /**
   * Reads the domain of this process, and joins one first where that is necessary.
   *
   * @returns the domain; `null` when this process belongs to none
   * @throws what the stores throw
   */
  async stand(): Promise<Standing | null> {
    const { database, redis } = this.#options;
    const { clock } = this.#options.cache;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const lookedAt = clock.now();
      const own = this.#id === null ? null : await lookAtDomain(database, this.#id);
      const domain = own?.ours === true && !own.retired ? own : null;
      // Who belongs to no domain looks, too: it is to forget when all are, and that the outbox cannot be read must show while Redis is away.
      this.#options.onLook?.(own ?? (await lookAtDomain(database, CLEANER)), domain !== null, lookedAt);
      if (domain === null) {
        if (!(await this.#join(await redis.meet()))) return null;
        continue;
      }
      if (domain.instance !== this.#instance) this.#doubt(domain);
      if (!this.#admission.isDoubted && redis.meets(domain.run) !== null) return { domain, lookedAt };
      const presented = await this.present(domain, 0, lookedAt);
      if (!presented.accepted) continue;
      if (this.#admission.accept(domain.token)) return { domain, lookedAt };
      await turnToken(database, domain);
    }
    return null;
  }

  /**
   * Rotates the token when that is due.
   *
   * @param domain the domain as it was read
   * @throws what Postgres throws
   */
  async turn(domain: Domain): Promise<void> {
    // Redis must never be more than one rotation behind.
    if (domain.turnedMs >= TURN_MS && domain.token === this.#confirmed) await turnToken(this.#options.database, domain);
  }

  /**
   * Shows Redis that this process is of the domain, and certifies what is cached.
   *
   * If Redis does not accept it, this process joins the domain that Redis names, where it may.
   *
   * @param domain the domain as it was read
   * @param ms how long the bodies are certified for, in milliseconds; 0 certifies nothing
   * @param asOf when no change waited, in milliseconds on the monotonic clock
   * @returns what Redis answered
   * @throws what the stores throw
   */
  async present(domain: Domain, ms: number, asOf: number): Promise<Presented> {
    const presented = await this.#options.cache.vouch(shareOf(domain), ms, asOf);
    if (presented.accepted) {
      this.#claim = null;
      this.#confirmed = domain.token;
    } else await this.#join(presented);
    return presented;
  }

  /** Joins the domain that Redis names. Returns whether this process belongs to it. */
  async #join(met: Presented): Promise<boolean> {
    let presented = met;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const { run, held } = presented;
      if (held === null) return this.#found(run);
      this.#emptySince = null;
      const { id, turn } = decodeMark(held);
      if (this.#claim !== null && this.#claim !== id) await this.#giveUpClaim(this.#claim);
      const domain = id === null ? null : await lookAtDomain(this.#options.database, id);
      if (domain?.ours !== true) return this.#refuse('this Redis, or this prefix in it, belongs to another database');
      const known = held === markOf(domain) || held === previousMarkOf(domain);
      // A newer mark in Postgres is accepted only from another run of Redis: a failover may have set it back.
      if ((known || (domain.turn > turn && domain.run !== run)) && (await this.#enter(domain, run, held))) return true;
      presented = await this.#options.redis.meet();
    }
    return this.#refuse('this database is a copy of the one that this Redis belongs to, or was restored');
  }

  /** Joins a Redis that belongs to no domain. */
  async #found(run: string): Promise<boolean> {
    const { database } = this.#options;
    const { clock } = this.#options.cache;
    if (this.refused !== null) {
      this.#emptySince ??= clock.now();
      if (clock.now() - this.#emptySince < CLAIM_MS) return false;
    }
    const own = this.#id === null ? null : await lookAtDomain(database, this.#id);
    // A retired domain may be removed from the register at any moment.
    if (own?.ours === true && !own.retired) return this.#enter(own, run, null);
    this.#claim = randomUUID();
    await registerDomain(database, { id: this.#claim, run, token: randomUUID() });
    this.#id = this.#claim;
    this.#admission.begin();
    return true;
  }

  async #giveUpClaim(id: string): Promise<void> {
    this.#claim = null;
    if (this.#id === id) this.#id = null;
    await removeDomain(this.#options.database, id);
  }

  /** Enters a domain. It begins anew when Redis is another run than before, or when the outbox no longer waits for the domain. */
  async #enter(domain: Domain, run: string, held: string | null): Promise<boolean> {
    if (domain.run !== run || domain.retired) {
      // Redis comes first. A process that looks between the two writes then finds Redis to be of this domain.
      const share = { ...shareOf(domain), run, ...(held === null ? {} : { acceptedMark: held }) };
      const { accepted } = await this.#options.cache.vouch(share, 0, 0);
      if (!accepted) return false;
      await renewDomain(this.#options.database, domain, run);
    }
    if (this.#id !== domain.id) this.#doubt(domain);
    this.#id = domain.id;
    return true;
  }

  /** Uses nothing until a new token is accepted: a copy of the database could know all that is known of the domain. */
  #doubt({ id, token, instance }: Domain): void {
    this.#instance = instance;
    if (id !== this.#claim) this.#admission.doubt(token);
  }

  #refuse(reason: string): boolean {
    this.#id = null;
    this.#admission.refuse(reason);
    return false;
  }
}
