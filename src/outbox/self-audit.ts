import { isDeepStrictEqual } from 'node:util';
import type { Body } from '../cache/entry.ts';
import type { Clock } from '../clock.ts';
import type { Channels } from '../trace/channels.ts';

/** How much is audited, and when. */
export interface AuditOptions {
  /** Which share of the answers of caches to reads by id, from 0 to 1. */
  readonly rate: number;
  /** How old such an answer may be, in milliseconds. */
  readonly maxStalenessMs: number;
  /** Told when Postgres could not be asked: then nothing was found out. */
  readonly onError: (error: Error) => void;
  readonly clock: Clock;
  /** Where it is told what was found. */
  readonly channel: Channels['audit'];
}

/** Where an audit finds out what is so. */
export interface AuditSource {
  /** The body that Postgres has; `null` for none. */
  row(id: string): Promise<Body | null>;
  /** The body that a read by id answers, from wherever. */
  answer(id: string): Promise<Body | null>;
}

/** Checks some of what caches answer. */
export interface SelfAudit {
  /**
   * Perhaps picks one of the bodies that a read by id was answered with, and checks it later.
   *
   * @param entity the entity's name
   * @param ids what was asked for, each id once
   * @param bodies the answers, in order
   * @param hits how many of them caches gave
   * @param source whom to ask
   */
  sample(
    entity: string,
    ids: readonly string[],
    bodies: readonly (Body | null)[],
    hits: number,
    source: AuditSource,
  ): void;
  /** Gives up the checks under way. */
  close(): void;
}

/** Checks under way at most: when Postgres is slow they must not pile up. */
const MAX_PENDING = 100;

/**
 * Makes the auditor that tells whether the promise about staleness is kept, by looking and not by reasoning. When the bound
 * has passed, an answer should be what Postgres has. If it is not, the row may have been written meanwhile, which is
 * nobody's fault; but when the bound has passed once more and reads by id still get the old body, nobody will ever
 * replace it. An old body of the row's very version is wrong at once.
 *
 * @param options how much and when
 * @returns the auditor
 */
export function createSelfAudit({ rate, maxStalenessMs, onError, clock, channel }: AuditOptions): SelfAudit {
  const waits = new Set<() => void>();
  let pending = 0;
  let closed = false;

  const boundPassed = () =>
    new Promise<void>((resolve) => {
      const end = () => {
        waits.delete(end);
        stop();
        resolve();
      };
      const stop = clock.after(maxStalenessMs, end);
      waits.add(end);
    });

  const isConsistent = async (id: string, served: Body | null, source: AuditSource): Promise<boolean | null> => {
    await boundPassed();
    if (closed) return null;
    const row = await source.row(id);
    if (isSame(row, served)) return true;
    if (row !== null && row.version === served?.version) return false;
    await boundPassed();
    if (closed) return null;
    const answer = await source.answer(id);
    return !isSame(answer, served) || isSame(answer, await source.row(id));
  };

  const check = async (entity: string, id: string, served: Body | null, source: AuditSource) => {
    pending += 1;
    try {
      const consistent = await isConsistent(id, served, source);
      if (consistent !== null) channel.publish({ entity, consistent });
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      pending -= 1;
    }
  };

  return {
    sample: (entity, ids, bodies, hits, source) => {
      if (hits <= 0 || Math.random() >= rate * hits || pending >= MAX_PENDING) return;
      const picked = Math.floor(Math.random() * ids.length);
      const [id, served] = [ids[picked], bodies[picked]];
      if (id !== undefined && served !== undefined) void check(entity, id, served, source);
    },
    close: () => {
      closed = true;
      for (const end of waits) end();
    },
  };
}

/** Whether two bodies, or parts of them, say the same. Node takes no invalid Date, such as Postgres' infinity is, for equal to another. */
function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (!isPlain(a) || !isPlain(b)) return isDeepStrictEqual(a, b);
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && isSame(a[name], b[name]));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]';
}
