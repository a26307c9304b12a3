/** How the reads of one entity were answered. Each read adds to one of `hits`, `negative` and `misses`. */
export interface CacheCounts {
  hits: number;
  misses: number;
  /** Reads whose answer was that the id names nothing, from a cache. */
  negative: number;
  /** Misses that found a body, but of another version than the list named, or of an earlier run of Redis. */
  stale: number;
  /** Hits and negatives that the process' own memory answered. */
  memoryHits: number;
  /** Those of `memoryHits` that were negatives. */
  memoryNegatives: number;
  /** Hits that came from another request's reading of the same key. */
  joined: number;
  /** Negatives that came from another request's reading of the same key. */
  joinedNegatives: number;
  /** Keys that another reader had leased. The read waited, and then was a hit, or a miss that fills nothing. */
  leased: number;
  /** Misses that could not use a cache: those of `cold` and `unreachable`, and those of bodies that no process certifies. */
  bypassed: number;
  /** Those of `bypassed` whose request asked to run cold. */
  cold: number;
  /** Those of `bypassed` because Redis did not answer. */
  unreachable: number;
  /** Leases that were taken, to fill after the SELECT. */
  leases: number;
  /** Bodies and negatives that were put into Redis. */
  fills: number;
}

/** @returns counters at zero */
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
 * Adds counts to a sum. Each counter is written out, because a loop over the names is slow.
 *
 * @param sum the sum, which is changed
 * @param counts the counts to add
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
