import type { Spin } from '../../../src/cli/services/spin.ts';
import type { HistoryEvent } from '../../stage/history.ts';
import { type Configuration, search } from './search.ts';

/** How long a tick is, in milliseconds. */
const TICK_MS = 500;

/** What a read of the process without memory may take and may vouch for, in ticks: rounded up, so that no history is refused for that. */
const TTL = 2;
const BOUND = 7;

/** Readings that are looked at, of those that overlap; whoever comes when both are under way is left out. */
const GUIDED = 2;

/** Writes that a sample has at most. */
export const WRITES = 3;

/** A moment of a history, as the model is told of it. */
interface Moment {
  readonly at: number;
  readonly text: string;
}

/** A part of what happened to one entity: short enough to be gone through. */
export interface Sample {
  readonly moments: readonly Moment[];
  readonly writes: number;
  readonly reads: number;
}

/**
 * Takes the beginning of a history: its first writes, and what one reader read meanwhile.
 *
 * @param events all that happened to one entity, from a time on when no cache held an older version than the row
 * @param reader whose reads, one that has no memory
 * @returns the sample; versions are counted from the one that was there at the beginning
 */
export function sampleOf(events: readonly HistoryEvent[], reader: string): Sample {
  const sent = events.filter(({ kind }) => kind === 'sent');
  const base = (sent[0]?.version ?? 1) - 1;
  const end = sent[WRITES]?.at ?? Number.POSITIVE_INFINITY;
  const moments: Moment[] = [];
  const free = Array.from({ length: GUIDED }, () => Number.NEGATIVE_INFINITY);
  const reads = events.filter((event) => event.kind === 'read' && event.reader === reader && event.at < end);
  let taken = 0;
  for (const event of events) {
    const version = event.version - base;
    if (event.kind === 'read' || event.at >= end) continue;
    const text = { sent: `mayCommit = ${version}`, committed: `row >= ${version}`, answered: `mayTell[${version}]` };
    moments.push({ at: event.at, text: text[event.kind] });
  }
  for (const event of reads.sort((a, b) => begin(a) - begin(b))) {
    const slot = free.findIndex((at) => at < begin(event));
    // One entity more than once in an operation is one reading.
    if (slot === -1) continue;
    free[slot] = event.at;
    taken += 1;
    const me = slot + 1;
    const path = event.kind === 'read' && event.path === 'list' ? 2 : 1;
    moments.push({ at: begin(event), text: `mayBegin[${me}] = ${path}` });
    moments.push({ at: event.at, text: `ended[${me}] == ${event.version - base + 1}; ended[${me}] = 0` });
  }
  moments.sort((a, b) => a.at - b.at);
  return { moments, writes: Math.min(sent.length, WRITES), reads: taken };
}

function begin(event: HistoryEvent): number {
  return event.kind === 'read' ? event.begunAt : event.at;
}

/**
 * Finds out whether the protocol can have brought a history forth: whether there is a run of the model in which each reading finds what it
 * found, begins and ends when it did, and writes are committed and answered between the times that were seen, however Redis, drainers,
 * evictions and another reader act in between.
 *
 * @param tools Spin and a compiler
 * @param sample the history
 * @param limitMs how long it may take
 * @returns whether there is such a run
 * @throws when not every run could be looked at and none was found
 */
export async function accepts(tools: Spin, sample: Sample, limitMs: number): Promise<boolean> {
  const steps: string[] = [];
  let now = Math.floor((sample.moments[0]?.at ?? 0) / TICK_MS);
  for (const { at, text } of sample.moments) {
    for (const then = Math.floor(at / TICK_MS); now < then; now += 1) steps.push('d_step { tick() }');
    steps.push(text.includes(';') ? `atomic { ${text} }` : text);
  }
  const configuration: Configuration = {
    file: 'protocol.pml',
    define: [
      'RECORDED',
      `GUIDED=${GUIDED}`,
      `ELSEWHERE=${GUIDED + 1}`,
      `WRITES=${Math.max(1, sample.writes)}`,
      `WRITERS=${Math.max(1, sample.writes)}`,
      `BOUND=${BOUND}`,
      `TTL=${TTL}`,
      // How old a version is makes no difference to what a reading may find.
      'LATE=0',
      'EVICTIONS',
      'PROMPT_DRAINS',
    ],
    machinery: 'run Drainer(false); run Voucher(0, false);',
    after: `proctype Recorded() {\n  ${steps.join(';\n  ')};\n  printf("accepted\\n");\n  assert(false)\n}\n`,
  };
  // The only assertion that can fail is the one at the end of the history.
  return (await search(tools, configuration, limitMs)).counterexample !== null;
}
