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
  /** Those of `memoryHits` that were negatives. */
  memoryNegatives: number;
  /** Hits that came with another request's reading of the same key. */
  joined: number;
  /** Negatives that came with it. */
  joinedNegatives: number;
  /** Found leased by another reader: waited for, and then a hit or a miss that is not put into Redis. */
  leased: number;
  /** Misses that no cache was asked for, or could answer: those of `cold` and `unreachable`, and those that nobody vouches for. */
  bypassed: number;
  /** Those of `bypassed` whose request asked for it. */
  cold: number;
  /** Those of `bypassed` because Redis did not answer. */
  unreachable: number;
  /** Leases that were taken, to fill after the SELECT. */
  leases: number;
  /** Bodies and negatives that were put into Redis. */
  fills: number;
}

/** @returns counters that have counted nothing */
export function noCounts(): CacheCounts {
  return {
    hits: 0,
    misses: 0,
    negative: 0,
    stale: 0,
    memoryHits: 0,
    memoryNegatives: 0,
    joined: 0,
    joinedNegatives: 0,
    leased: 0,
    bypassed: 0,
    cold: 0,
    unreachable: 0,
    leases: 0,
    fills: 0,
  };
}

/**
 * Adds counts to a sum, each by its name: a loop over the names takes longer than all else that metrics do for a small request.
 *
 * @param sum is added to
 * @param counts what is added
 */
export function addCounts(sum: CacheCounts, counts: CacheCounts): void {
  sum.hits += counts.hits;
  sum.misses += counts.misses;
  sum.negative += counts.negative;
  sum.stale += counts.stale;
  sum.memoryHits += counts.memoryHits;
  sum.memoryNegatives += counts.memoryNegatives;
  sum.joined += counts.joined;
  sum.joinedNegatives += counts.joinedNegatives;
  sum.leased += counts.leased;
  sum.bypassed += counts.bypassed;
  sum.cold += counts.cold;
  sum.unreachable += counts.unreachable;
  sum.leases += counts.leases;
  sum.fills += counts.fills;
}
