import type { HistoryEvent, ReadPath } from '../../stage/history.ts';

/** A read of a sample; versions are counted from the one that was there at the beginning, as everywhere in a sample. */
export interface SampleRead {
  readonly path: ReadPath;
  readonly version: number;
  readonly begunAt: number;
  readonly at: number;
  /** Which of the readings that may be under way at a time it is, from 1 on. */
  readonly slot: number;
}

/** A write of a sample: when its commit was sent and confirmed, and when the writer was told; infinite what was not. */
export interface SampleWrite {
  readonly sentAt: number;
  readonly committedAt: number;
  readonly answeredAt: number;
}

/** A part of what happened to one entity: short enough to be gone through. */
export interface Sample {
  readonly reads: readonly SampleRead[];
  /** Version n is the n-th of them. */
  readonly writes: readonly SampleWrite[];
}

/** Reads that are looked at, of those that overlap; whoever comes when so many are under way is left out. */
const SLOTS = 2;

/** What no write of a sample is, for a read that found what it cannot have found. */
const NO_VERSION = 200;

/**
 * Takes the beginning of a history: its first writes, and what one reader read until the next one was sent. What was rolled back is
 * no version.
 *
 * @param events all that happened to one entity, from a time on when no cache held an older version than the row
 * @param reader whose reads, one that has no memory
 * @param most how many writes
 * @returns the sample
 */
export function sampleOf(events: readonly HistoryEvent[], reader: string, most: number): Sample {
  const undone = new Set(events.filter(({ kind }) => kind === 'undone').map(({ version }) => version));
  const sent = events.filter(({ kind, version }) => kind === 'sent' && !undone.has(version));
  const first = sent[0]?.version ?? Number.POSITIVE_INFINITY;
  const base = Math.max(
    0,
    ...events.map(({ version }) => version).filter((version) => version < first && !undone.has(version)),
  );
  const counted = (version: number) => {
    const newer = sent.findIndex((event) => event.version === version);
    return version === base ? 0 : newer === -1 ? NO_VERSION : newer + 1;
  };
  const end = sent[most]?.at ?? Number.POSITIVE_INFINITY;
  const timeOf = (kind: HistoryEvent['kind'], version: number) => {
    const at = events.find((event) => event.kind === kind && event.version === version)?.at;
    return at === undefined || at >= end ? Number.POSITIVE_INFINITY : at;
  };
  const writes = sent.slice(0, most).map(({ at, version }) => ({
    sentAt: at,
    committedAt: timeOf('committed', version),
    answeredAt: timeOf('answered', version),
  }));
  const reads: SampleRead[] = [];
  const free = Array.from({ length: SLOTS }, () => Number.NEGATIVE_INFINITY);
  const all = events.flatMap((event) => (event.kind === 'read' && event.reader === reader ? [event] : []));
  for (const { path, version, begunAt, at } of all.sort((a, b) => a.begunAt - b.begunAt)) {
    // One entity more than once in an operation is one reading.
    const slot = free.findIndex((busyUntil) => busyUntil < begunAt);
    if (slot === -1 || at >= end) continue;
    free[slot] = at;
    reads.push({ path, version: counted(version), begunAt, at, slot: slot + 1 });
  }
  return { reads, writes };
}

/**
 * Lets a read find through a list what had been overwritten before it began.
 *
 * @param sample what happened
 * @returns the same until that read; `null` when no read began after a commit
 */
export function withStaleRead({ reads, writes }: Sample): Sample | null {
  const stale = reads.findIndex(({ begunAt }) => writes.some(({ committedAt }) => committedAt < begunAt));
  const read = reads[stale];
  if (read === undefined) return null;
  const newest = writes.filter(({ committedAt }) => committedAt < read.begunAt).length;
  return until({ reads: [...reads.slice(0, stale), { ...read, path: 'list', version: newest - 1 }], writes }, read.at);
}

/**
 * Lets a commit be sent when a read had already found what it wrote.
 *
 * @param sample what happened
 * @returns the same until that read; `null` when no read found what the sample wrote
 */
export function withLateCommit({ reads, writes }: Sample): Sample | null {
  const early = reads.find(({ version }) => version > 0);
  if (early === undefined) return null;
  const late = (write: SampleWrite): SampleWrite => ({ ...write, sentAt: Math.max(write.sentAt, early.at + 1) });
  return until({ reads, writes: writes.map((write, i) => (i + 1 >= early.version ? late(write) : write)) }, early.at);
}

function until({ reads, writes }: Sample, end: number): Sample {
  const cut = (at: number) => (at <= end ? at : Number.POSITIVE_INFINITY);
  return {
    reads: reads.filter(({ at }) => at <= end),
    writes: writes
      .filter(({ sentAt }) => sentAt <= end)
      .map(({ sentAt, committedAt, answeredAt }) => ({
        sentAt,
        committedAt: cut(committedAt),
        answeredAt: cut(answeredAt),
      })),
  };
}
