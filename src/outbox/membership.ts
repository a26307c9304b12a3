import { randomUUID } from 'node:crypto';
import type { EntityCache } from '../cache/entity-cache.ts';
import type { RedisTier } from '../cache/redis/tier.ts';
import type { Presented } from '../cache/share.ts';
import type { Database } from '../postgres/client.ts';
import { Admission } from './admission.ts';
import { type Domain, lookAtDomain, registerDomain, removeDomain, renewDomain } from './domains.ts';
import { decodeMark, markOf, previousMarkOf, shareOf } from './mark.ts';
import { turnToken } from './outbox.ts';

/** What a membership is made of. */
export interface MembershipOptions {
  readonly database: Database;
  readonly cache: EntityCache;
  readonly redis: RedisTier;
  /** Told of each look at the domain, whatever comes of it. */
  readonly onLook?: (standing: Standing) => void;
  /** Told once why this process may not use what Redis holds, and with `null` when it may again. */
  readonly onRefused: (reason: string | null) => void;
}

/** A domain as it was looked at. */
export interface Standing {
  readonly domain: Domain;
  /** Before that, in milliseconds on the monotonic clock. */
  readonly lookedAt: number;
}

/** Between two servers that turn the token over at once, one has to look again; none that belongs to the domain has to do so as often. */
const ATTEMPTS = 5;

/** How often the token is turned over: a copy of the database is outdated after so long. */
const TURN_MS = 2000;

/** A Redis that was emptied is first left to the servers that it belonged to, which are sooner than this. */
const CLAIM_MS = 5000;

/**
 * Finds out to which cache domain this process belongs: Redis names it, and Postgres has it in its register. What Redis holds is used only
 * when Postgres has the token that Redis has, too, in its newest form. A copy of the database has the row of the domain, but its token is
 * outdated as soon as the database has turned its own over; so a process first turns it over, which only one of the two can do.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #admission: Admission;
  #id: string | null = null;
  /** A domain of its own making that Redis does not know yet. */
  #claim: string | null = null;
  /** What a copy could have, too; `null` when what was shown since proved that this is none. */
  #doubted: string | null = '';
  /** The Postgres that was asked last. */
  #instance = '';
  /** The token that Redis was last seen to hold. */
  #confirmed = '';
  #emptySince: number | null = null;

  /** @param options the stores, and whom to tell */
  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#admission = new Admission(options.cache, options.onRefused);
  }

  /** Why this process may not use what Redis holds; `null` when it may, or does not know yet. */
  get refused(): string | null {
    return this.#admission.refused;
  }

  /**
   * Looks at the domain of this process, and joins it first where that is necessary.
   *
   * @returns the domain; `null` when there is none that this process belongs to
   * @throws what the stores throw
   */
  async stand(): Promise<Standing | null> {
    const { database, redis } = this.#options;
    const { clock } = this.#options.cache;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const lookedAt = clock.now();
      const domain = this.#id === null ? null : await lookAtDomain(database, this.#id);
      if (domain?.ours !== true || domain.retired) {
        if (!(await this.#join(await redis.meet()))) return null;
        continue;
      }
      this.#options.onLook?.({ domain, lookedAt });
      if (domain.instance !== this.#instance) this.#doubt(domain);
      if (this.#doubted === null && redis.meets(domain.run) !== null) return { domain, lookedAt };
      const presented = await this.present(domain, 0, lookedAt);
      if (!presented.accepted) continue;
      if (this.#doubted === null) return { domain, lookedAt };
      if (domain.token !== this.#doubted) {
        this.#doubted = null;
        this.#admission.admit();
        return { domain, lookedAt };
      }
      await turnToken(database, domain);
    }
    return null;
  }

  /**
   * Turns the token over when that is due.
   *
   * @param domain the domain as it was looked at
   * @throws what Postgres throws
   */
  async turn(domain: Domain): Promise<void> {
    // Redis must never be more than one turn behind.
    if (domain.turnedMs >= TURN_MS && domain.token === this.#confirmed) await turnToken(this.#options.database, domain);
  }

  /**
   * Shows Redis that this process is of the domain, and vouches for what is cached.
   *
   * @param domain the domain as it was looked at
   * @param ms how long, in milliseconds; 0 to vouch for nothing
   * @param asOf when no change waited, in milliseconds on the monotonic clock
   * @returns what Redis said; if it did not accept it, this process has joined the domain that Redis is of, if it may
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

  /** Joins the domain that Redis is of, and returns whether this process belongs to it. */
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
      // Where Redis is another one than before, it may have been set back.
      if ((known || (domain.turn > turn && domain.run !== run)) && (await this.#enter(domain, run, held))) return true;
      presented = await this.#options.redis.meet();
    }
    return this.#refuse('this database is a copy of the one that this Redis belongs to, or was restored');
  }

  /** Joins a Redis that belongs to nobody. */
  async #found(run: string): Promise<boolean> {
    const { database } = this.#options;
    const { clock } = this.#options.cache;
    if (this.refused !== null) {
      this.#emptySince ??= clock.now();
      if (clock.now() - this.#emptySince < CLAIM_MS) return false;
    }
    const own = this.#id === null ? null : await lookAtDomain(database, this.#id);
    // One that is retired may be forgotten at any moment.
    if (own?.ours === true && !own.retired) return this.#enter(own, run, null);
    this.#claim = randomUUID();
    await registerDomain(database, { id: this.#claim, run, token: randomUUID() });
    this.#id = this.#claim;
    this.#doubted = '';
    return true;
  }

  async #giveUpClaim(id: string): Promise<void> {
    this.#claim = null;
    if (this.#id === id) this.#id = null;
    await removeDomain(this.#options.database, id);
  }

  /** Belongs to a domain from now on, which begins anew where Redis is another one, or did not wait for it. */
  async #enter(domain: Domain, run: string, held: string | null): Promise<boolean> {
    if (domain.run !== run || domain.retired) {
      // Redis first: whoever comes between the two then finds it to be of this domain.
      const share = { ...shareOf(domain), run, ...(held === null ? {} : { acceptedMark: held }) };
      const { accepted } = await this.#options.cache.vouch(share, 0, 0);
      if (!accepted) return false;
      await renewDomain(this.#options.database, domain, run);
    }
    if (this.#id !== domain.id) this.#doubt(domain);
    this.#id = domain.id;
    return true;
  }

  /** A copy of the database could have all that is known of the domain. */
  #doubt({ id, token, instance }: Domain): void {
    this.#instance = instance;
    if (id === this.#claim) return;
    this.#doubted = token;
    this.#admission.doubt();
  }

  #refuse(reason: string): boolean {
    this.#id = null;
    this.#admission.refuse(reason);
    return false;
  }
}
