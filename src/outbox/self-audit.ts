import { isDeepStrictEqual } from 'node:util';
import type { Body } from '../cache/entry.ts';
import type { Clock } from '../clock.ts';
import { errorOf } from '../reason-of.ts';
import type { Channels } from '../trace/channels.ts';

/** How much is audited, and when. */
export interface AuditOptions {
  /** The share of reads by id answered by caches that is audited, from 0 to 1. */
  readonly rate: number;
  /** How old such an answer may be, in milliseconds. */
  readonly maxStalenessMs: number;
  /** Told when Postgres could not be asked. Then the audit finds out nothing. */
  readonly onError: (error: Error) => void;
  readonly clock: Clock;
  /** Receives the result of each audit. */
  readonly channel: Channels['audit'];
}

/** Where an audit reads from. */
export interface AuditSource {
  /**
   * @param id an id
   * @returns the body that Postgres has; `null` for none
   */
  row(id: string): Promise<Body | null>;
  /**
   * @param id an id
   * @returns the body that a read by id answers, from whichever tier; `null` for none
   */
  answer(id: string): Promise<Body | null>;
}

/** Checks some of what caches answer. */
export interface SelfAudit {
  /**
   * Perhaps picks one of the bodies that answered a read by id, and checks it later.
   *
   * @param entity the entity's name
   * @param ids the ids that were read, each once
   * @param bodies the answers, in order
   * @param hits how many of the answers came from caches
   * @param source where to read again
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

/** The most checks under way. They must not pile up when Postgres is slow. */
const MAX_PENDING = 100;

/**
 * Makes the auditor, which measures whether the bound on staleness holds. It reads again when the bound has passed: the answer should then
 * be what Postgres has. An old body in the row's very version is wrong at once.
 *
 * When they differ, the row may have been written meanwhile, which is no fault. So it waits for the bound once more. If reads by id still
 * answer the old body then, nothing will ever replace it.
 *
 * @param options how much to audit, and when
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
      onError(errorOf(error));
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

/** Whether two bodies are equal. Where they came from differs, and with it what else they carry. */
function isSame(a: Body | null, b: Body | null): boolean {
  return a === null || b === null ? a === b : a.version === b.version && areEqual(a.entity, b.entity);
}

/** Whether two values of entities are equal. Node does not take two invalid Dates for equal; Postgres' infinity is one. */
function areEqual(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (!isPlain(a) || !isPlain(b)) return isDeepStrictEqual(a, b);
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && areEqual(a[name], b[name]));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]';
}
