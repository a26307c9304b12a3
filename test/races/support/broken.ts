import { Redis } from 'ioredis';
import { InvalidationBus } from '../../../src/cache/bus/invalidation-bus.ts';
import type { Echo } from '../../../src/cache/bus/messages.ts';
import type { CacheOptions } from '../../../src/cache/cache-options.ts';
import { EntityCache } from '../../../src/cache/entity-cache.ts';
import { type Body, type EntitySpace, LEASE_MARK } from '../../../src/cache/entry.ts';
import type { Brought } from '../../../src/cache/later-fills.ts';
import { PageMemory } from '../../../src/cache/memory/page-memory.ts';
import type { Loader, Want } from '../../../src/cache/read-through.ts';
import type { Values } from '../../../src/cache/redis/dialect.ts';
import type { Fill } from '../../../src/cache/redis/lease.ts';
import type { Told } from '../../../src/cache/redis/send-invalidation.ts';
import type { Presented, Share } from '../../../src/cache/share.ts';
import type { Clock } from '../../../src/clock.ts';
import { Membership } from '../../../src/outbox/membership.ts';
import { Trace } from '../../../src/trace/trace.ts';
import type { Parts } from '../../stage/process.ts';
import { type Seam, SeamedRedisTier } from '../../stage/seams.ts';

const HEARTBEAT = 'larder:heartbeat';
const DOMAIN = 'larder:domain';

/** A tier that can also do what the real one never does. */
class LawlessTier extends SeamedRedisTier {
  protected readonly raw: Redis;
  protected readonly onError: (error: Error) => void;

  constructor(url: string, onError: (error: Error) => void, seam: Seam, clock: Clock, timeoutMs: number) {
    super(url, '', onError, seam, clock, timeoutMs);
    this.onError = onError;
    this.raw = new Redis(url);
    this.raw.on('error', onError);
  }

  override async close(): Promise<void> {
    this.raw.disconnect();
    await super.close();
  }
}

/** Puts what was read into Redis whatever happened to the lease meanwhile. */
class FillsAnyway extends LawlessTier {
  override async fill(fills: Fill[]): Promise<number> {
    for (const { key, value, ttlMs } of fills) await this.raw.set(key, value, 'PX', ttlMs);
    return fills.length;
  }
}

/** Thinks that every lease is its own, without asking for one. */
class LeasesNothing extends FillsAnyway {
  override readOrLease(keys: string[], _named: boolean[], _token: string, trace: Trace): Promise<Values | null> {
    return this.read(keys, trace);
  }

  override async lease(keys: string[], stale: string[]): Promise<null[]> {
    if (stale.length > 0) await this.raw.unlink(stale);
    return keys.map(() => null);
  }
}

/** Takes every body for one of this run of Redis. */
class EpochBlind extends SeamedRedisTier {
  override async read(keys: string[], trace: Trace): Promise<Values | null> {
    const read = await super.read(keys, trace);
    if (read === null) return null;
    const values = read.values.map((text) =>
      text === null || text.startsWith(LEASE_MARK) ? text : JSON.stringify({ ...JSON.parse(text), epoch: read.epoch }),
    );
    return { ...read, values };
  }
}

/** Lets a heartbeat vouch from when it arrives. */
class BeatsLate extends LawlessTier {
  #epoch: string | null = null;

  override async present(share: Share, ms: number): Promise<Presented> {
    if (this.#epoch !== null && ms > 0) {
      // Not waited for: a command that timed out is still on its way.
      this.raw.set(HEARTBEAT, this.#epoch, 'PX', Math.floor(ms)).catch(this.onError);
      return { run: share.run, held: share.mark, accepted: true, epoch: this.#epoch };
    }
    const presented = await super.present(share, ms);
    this.#epoch = presented.epoch;
    return presented;
  }
}

/** Knows a run of Redis by the id of its process alone. */
class KnowsProcessOnly extends LawlessTier {
  override meets(): () => boolean {
    return () => true;
  }

  override async meet(): Promise<Presented> {
    const run = /run_id:(\w+)/.exec(await this.raw.info('server'))?.[1] ?? '';
    return { run, held: await this.raw.get(DOMAIN), accepted: false, epoch: null };
  }

  override async present({ run, generation, mark }: Share, ms: number): Promise<Presented> {
    const met = await this.meet();
    if (met.run !== run) return met;
    await this.raw.set(DOMAIN, mark);
    const epoch = run + generation;
    if (ms > 0) await this.raw.set(HEARTBEAT, epoch, 'PX', Math.floor(ms));
    return { run, held: mark, accepted: true, epoch };
  }
}

/** Tells every process, but not Redis. */
class UnlinksNothing extends LawlessTier {
  override async invalidate(_keys: string[], channel: string, message: string): Promise<Told> {
    return { receivers: await this.raw.publish(channel, message), processes: null };
  }
}

/** Reads what a list named as if nothing but its id were known. */
class VersionBlind extends EntityCache {
  override read(
    space: Parameters<EntityCache['read']>[0],
    wants: readonly Want[],
    load: Loader,
    trace: Trace,
  ): ReturnType<EntityCache['read']> {
    return super.read(
      space,
      wants.map(({ id }) => ({ id, version: null })),
      load,
      trace,
    );
  }
}

/** Takes what a list brought along for what was read by id. */
class BelievesLists extends EntityCache {
  override keepForLists(space: EntitySpace, brought: readonly Brought[], wanted: number): void {
    super.keepForLists(space, brought, wanted);
    const bodies = new Map(brought.map(({ id, body }) => [id, body]));
    const wants = brought.map(({ id }) => ({ id, version: null }));
    this.believed = this.read(space, wants, async () => bodies, new Trace());
  }

  /** What is under way. */
  believed: Promise<unknown> = Promise.resolve();
}

/** Knows a page by its ids alone. */
class VersionBlindPages extends PageMemory {
  override get(space: EntitySpace, named: string): ReturnType<PageMemory['get']> {
    return super.get(space, named.slice(0, named.lastIndexOf(':')));
  }

  override set(space: EntitySpace, named: string, bodies: readonly Body[]): void {
    super.set(space, named.slice(0, named.lastIndexOf(':')), bodies);
  }
}

/** Takes an echo for one that was sent when it came back. */
class TimesArrivals extends EntityCache {
  override heard(echo: Echo): void {
    super.heard({ ...echo, sent: this.clock.now() });
  }
}

/** Takes what it has told itself for heard, before it has come back. */
class HearsAtOnce extends EntityCache {
  #epoch: string | null = null;

  override heard(echo: Echo): void {
    if (this.#epoch === null) super.heard(echo);
    this.#epoch = echo.epoch;
  }

  override async vouch(share: Share, ms: number, asOf: number): Promise<Presented> {
    const presented = await super.vouch(share, ms, asOf);
    if (this.#epoch !== null) super.heard({ sent: asOf, epoch: this.#epoch });
    return presented;
  }
}

/** Takes what it has read for as good in a new run of Redis as it was in the one before. */
class EpochBlindTrust extends EntityCache {
  override heard(echo: Echo): void {
    super.heard({ ...echo, epoch: '' });
  }
}

/** Believes an echo of whichever run of Redis. */
class BelievesAll extends InvalidationBus {
  override listensTo(): boolean {
    return true;
  }
}

/** Goes on trusting what it has read when it reads by another connection. */
class ReadsOn extends EntityCache {
  constructor(options: CacheOptions) {
    const { redis } = options;
    if (redis !== null) redis.onReady = () => {};
    super(options);
  }
}

/** Vouches for everything without looking at what waits, and drains nothing. */
function beatsOnly(options: Parameters<NonNullable<Parts['drainer']>>[0]) {
  const { database, cache, redis, boundMs, onError, onRefused } = options;
  if (redis === null) throw new TypeError('Without Redis there is nothing to vouch for.');
  const member = new Membership({ database, cache, redis, onRefused });
  const beat = async () => {
    const standing = await member.stand();
    if (standing !== null) await member.present(standing.domain, boundMs, cache.clock.now());
  };
  const timer = setInterval(() => void beat().catch(onError), 100);
  return {
    status: () => null,
    refused: () => null,
    problem: () => null,
    stop: async () => clearInterval(timer),
  };
}

/** Protocols that lack one part each, by what they lack. */
export const BROKEN = {
  'the lease': { tier: (...args) => new LeasesNothing(...args) },
  'the comparison before a fill': { tier: (...args) => new FillsAnyway(...args) },
  'the version check': { cache: VersionBlind },
  'the doubt of what lists bring': { cache: BelievesLists },
  'the versions of pages': { pages: (limits) => new VersionBlindPages(limits) },
  'the outbox': { drainer: beatsOnly },
  'the epoch check': { tier: (url, ...more) => new EpochBlind(url, '', ...more) },
  'the bus': { deaf: true },
  'the invalidation after a write': { tier: (...args) => new UnlinksNothing(...args) },
  "the heartbeat's deadline": { tier: (...args) => new BeatsLate(...args) },
  'the time of an echo': { cache: TimesArrivals },
  'the way back of an echo': { cache: HearsAtOnce },
  'the epoch of an echo': { cache: EpochBlindTrust },
  'the run of an echo': { bus: BelievesAll },
  'the history of an echo': { cache: EpochBlindTrust },
  'the doubt of another connection': { cache: ReadsOn },
  'the history in the epoch': { tier: (...args) => new KnowsProcessOnly(...args) },
} satisfies Record<string, Parts>;
