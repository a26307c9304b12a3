/** How the reads of one entity were answered: each adds to one of `hits`, `negative` and `misses`. */
export interface CacheCounts {
  hits: number;
  misses: number;
  /** Answered by the memory of an id that names nothing. */
  negative: number;
  /** Misses for which a body was there, but of another version than the list named or of an earlier run of Redis. */
  stale: number;
  /** Hits and negatives that the process' own memory answered. */
  memoryHits: number;
  /** Misses because nobody vouches for bodies read by id: the invalidations are behind, or stand still. */
  bypassed: number;
}

/**
 * What one request did to Postgres and Redis. It is passed explicitly to every function that does I/O, because
 * AsyncLocalStorage costs up to a third of the throughput; it imports nothing, so that every layer may use it.
 */
export class Trace {
  readonly sql = { statements: 0, rows: 0, ms: 0 };
  readonly redis = { commands: 0, ms: 0 };
  readonly cache: Record<string, CacheCounts> = {};

  /**
   * Counts one statement that Postgres answered.
   *
   * @param rows how many rows came back
   * @param ms from sending to the last row, in milliseconds
   */
  statement(rows: number, ms: number): void {
    this.sql.statements += 1;
    this.sql.rows += rows;
    this.sql.ms += ms;
  }

  /**
   * Counts commands that Redis answered in one round trip.
   *
   * @param count how many commands the round trip carried
   * @param ms the round trip, in milliseconds
   */
  commands(count: number, ms: number): void {
    this.redis.commands += count;
    this.redis.ms += ms;
  }

  /**
   * The counters of one entity, made at its first use.
   *
   * @param entity the entity's name, such as `Campaign`
   * @returns counters to add to
   */
  entity(entity: string): CacheCounts {
    this.cache[entity] ??= { hits: 0, misses: 0, negative: 0, stale: 0, memoryHits: 0, bypassed: 0 };
    return this.cache[entity];
  }
}
