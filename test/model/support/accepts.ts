import type { Spin } from '../../../src/cli/services/spin.ts';
import type { Sample } from './sample.ts';
import { type Configuration, type Effort, SearchLimitError, search } from './search.ts';

/** How long a tick is, in milliseconds. */
const TICK_MS = 500;

/** What a read of the process without memory may take and may vouch for, in ticks: rounded up, so that no history is refused for that. */
const TTL = 2;
const BOUND = 7;

/** Whether the protocol can have brought a history forth; `undecided` when that was not found out with the effort that was made. */
export type Verdict = 'accepted' | 'refused' | 'undecided';

/** Few states, so that compiling takes longer than searching. */
const BRIEFLY: Effort = { limitMs: 240_000, memoryMb: 300, brief: true };
const WIDELY: Effort = { limitMs: 240_000, memoryMb: 500 };

/**
 * Finds out whether the protocol can have brought a history forth: whether there is a run of the model in which each reading finds what it
 * found, begins and ends when it did, and writes are committed and answered between the times that were seen, however Redis, drainers and
 * evictions act in between. At first nobody but these readings reads, which shows most histories to be good in few states; only when there
 * is no such run, another reading may do what it likes, too.
 *
 * @param tools Spin and a compiler
 * @param sample the history
 * @returns whether there is such a run
 */
export async function judge(tools: Spin, sample: Sample): Promise<Verdict> {
  const alone = await judgeWith(tools, sample, 0, BRIEFLY);
  return alone === 'accepted' ? alone : judgeWith(tools, sample, 1, WIDELY);
}

async function judgeWith(tools: Spin, sample: Sample, others: number, effort: Effort): Promise<Verdict> {
  try {
    // The only assertion that can fail is the one at the end of the history.
    const { counterexample } = await search(tools, recorded(sample, others), effort);
    return counterexample === null ? 'refused' : 'accepted';
  } catch (error) {
    if (error instanceof SearchLimitError) return 'undecided';
    throw error;
  }
}

function recorded(sample: Sample, others: number): Configuration {
  const guided = Math.max(1, ...sample.reads.map(({ slot }) => slot));
  const steps: string[] = [];
  const all = moments(sample);
  let now = Math.floor((all[0]?.at ?? 0) / TICK_MS);
  for (const { at, text } of all) {
    for (const then = Math.floor(at / TICK_MS); now < then; now += 1) steps.push('d_step { tick() }');
    steps.push(text);
  }
  return {
    file: 'protocol.pml',
    define: [
      'RECORDED',
      `GUIDED=${guided}`,
      `ELSEWHERE=${guided + others}`,
      `WRITES=${Math.max(1, sample.writes.length)}`,
      `WRITERS=${writersOf(sample)}`,
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
}

/** What happened, in order, in the words of the model. Somebody has read before, and what was filled may be there still. */
function moments({ reads, writes }: Sample): { readonly at: number; readonly text: string }[] {
  const ended = (slot: number, version: number) => `atomic { ended[${slot}] == ${version + 1}; ended[${slot}] = 0 }`;
  const list = [
    ...reads.flatMap(({ slot, path, version, begunAt, at }) => [
      { at: begunAt, text: `mayBegin[${slot}] = ${path === 'list' ? 2 : 1}` },
      { at, text: ended(slot, version) },
    ]),
    ...writes.flatMap(({ sentAt, committedAt, answeredAt }, i) => [
      { at: sentAt, text: `mayCommit = ${i + 1}` },
      { at: committedAt, text: `row >= ${i + 1}` },
      { at: answeredAt, text: `mayTell[${i + 1}]` },
    ]),
  ]
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => a.at - b.at);
  const at = list[0]?.at ?? 0;
  return [{ at, text: 'mayBegin[1] = 1' }, { at, text: ended(1, 0) }, ...list];
}

/** How many writers were between commit and answer at a time: what one that is not answered still does, an eviction does, too. */
function writersOf({ writes }: Sample): number {
  const answered = writes.filter(({ answeredAt }) => Number.isFinite(answeredAt));
  return Math.max(1, ...answered.map((one) => answered.filter((other) => overlap(one, other)).length));
}

type Span = { readonly sentAt: number; readonly answeredAt: number };

function overlap(one: Span, other: Span): boolean {
  return one.sentAt <= other.answeredAt && other.sentAt <= one.answeredAt;
}
