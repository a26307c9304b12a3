import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { globalId } from '../../support/data.ts';
import type { LarderChild, TimedAnswer } from './larder.ts';

/** Who reads and writes while something is broken, and what counts as wrong. */
export interface JudgeOptions {
  readonly larder: LarderChild;
  /** The test's own way to the database. */
  readonly sql: Sql;
  /** How old an entity read by id may be, in milliseconds. */
  readonly maxStalenessMs: number;
  /** How many read at a time. */
  readonly readers?: number;
  /** Pause of the writer between two changes, in milliseconds. */
  readonly writePauseMs?: number;
}

/** What was seen. */
export interface Verdict {
  /** Reads that were answered with data. */
  answered: number;
  /** Reads that were answered with 503 and the code UNAVAILABLE. */
  unavailable: number;
  /** Of those that were answered, bodies that no cache was asked for. */
  bypassed: number;
  /** What the read by id that asked Redis most often asked it. */
  roundTrips: number;
  /** Answers that contradict what had been written, and answers of any other kind. */
  readonly wrong: unknown[];
}

/** Reads and writes in the background and compares. */
export interface Judge {
  /** What was seen since the start or the last verdict. */
  verdict(): Verdict;
  /** Stops changing rows until `write`; returns when no change is under way. */
  rest(): Promise<void>;
  /** Goes on changing rows. */
  write(): void;
  /** Ends reading and writing. */
  stop(): Promise<void>;
}

/** How many campaigns there are; each is read by id and stands in the list. */
const CAMPAIGNS = 5;

const BY_ID = `query ($id: ID!) { campaign(id: $id) { title } }`;
const BY_IDS = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Campaign { title } } }`;
const LISTED = `{ campaigns(first: ${CAMPAIGNS}) { nodes { title brand { name } } } }`;

interface Titled {
  readonly title: string;
}

/**
 * Fills an empty database with what the judge reads.
 *
 * @param sql where
 */
export async function judgedRows(sql: Sql): Promise<void> {
  await sql`insert into brands (id, name) values (1, 'brand')`;
  await sql`
    insert into campaigns (id, brand_id, title, body)
    select i, 1, i || ' v0', repeat('x', 500) from generate_series(1, ${CAMPAIGNS}) i`;
}

/**
 * Changes rows from outside of Larder, as psql would, and reads them through it. A list must show what had been
 * committed when it was asked for; a read by id may be older by as much as the contract allows.
 *
 * @param options who and what
 * @returns the judge, at work
 */
export function startJudge(options: JudgeOptions): Judge {
  const { larder, sql, maxStalenessMs, readers = 6, writePauseMs = 20 } = options;
  /** When each version was committed; the last that was begun may be seen, too. */
  const committed: number[] = [performance.now()];
  let begun = 0;
  let writing = true;
  let stopped = false;
  let resting = (): void => {};
  let seen: Verdict = noVerdict();

  /** The least version that may be seen by who asked then. */
  const least = (asked: number) => {
    let version = committed.length - 1;
    while (version > 0 && (committed[version] as number) > asked) version -= 1;
    return version;
  };

  const check = (how: string, asked: number, ids: readonly number[], nodes: readonly (Titled | null)[]) => {
    const expected = least(asked - (how === 'list' ? 0 : maxStalenessMs));
    if (nodes.length !== ids.length) seen.wrong.push({ how, length: nodes.length });
    nodes.forEach((node, i) => {
      const [id, version] = node?.title.split(' v').map(Number) ?? [];
      const right = id === ids[i] && version !== undefined && version >= expected && version <= begun;
      if (!right) seen.wrong.push({ how, id: ids[i], title: node?.title, expected: `v${expected} to v${begun}` });
    });
  };

  const take = <Data>(how: string, answer: TimedAnswer<Data>, judged: (data: Data) => void) => {
    const unavailable =
      answer.status === 503 &&
      answer.headers['retry-after'] === '1' &&
      answer.errors?.every(({ extensions }) => extensions?.code === 'UNAVAILABLE');
    if (unavailable) seen.unavailable += 1;
    else if (answer.status !== 200 || answer.errors !== undefined || answer.data == null) {
      seen.wrong.push({ how, status: answer.status, errors: answer.errors, data: answer.data });
    } else {
      seen.answered += 1;
      const { events = [] } = answer.extensions?.dataFetching ?? {};
      const roundTrips = events.filter(({ kind }) => kind === 'redis').length;
      if (how !== 'list') seen.roundTrips = Math.max(seen.roundTrips, roundTrips);
      seen.bypassed += answer.extensions?.dataFetching?.cache.Campaign?.bypassed ?? 0;
      judged(answer.data);
    }
  };

  const all = Array.from({ length: CAMPAIGNS }, (_, i) => i + 1);
  const reads: ((turn: number) => Promise<void>)[] = [
    async (turn) => {
      const asked = performance.now();
      const id = 1 + (turn % CAMPAIGNS);
      const answer = await larder.query<{ campaign: Titled | null }>(BY_ID, { id: globalId('Campaign', id) });
      take('campaign', answer, ({ campaign }) => check('campaign', asked, [id], [campaign]));
    },
    async () => {
      const asked = performance.now();
      const ids = all.map((id) => globalId('Campaign', id));
      const answer = await larder.query<{ nodes: (Titled | null)[] }>(BY_IDS, { ids });
      take('nodes', answer, ({ nodes }) => check('nodes', asked, all, nodes));
    },
    async () => {
      const asked = performance.now();
      const answer = await larder.query<{ campaigns: { nodes: Titled[] } }>(LISTED);
      take('list', answer, ({ campaigns }) => check('list', asked, all, campaigns.nodes));
    },
  ];

  const reader = async (first: number) => {
    for (let turn = first; !stopped; turn += 1) {
      try {
        await reads[turn % reads.length]?.(turn);
      } catch (error) {
        // Its text alone: an error of a socket holds the socket, which nobody wants compared or printed.
        if (!stopped) seen.wrong.push({ how: 'no answer', error: String(error) });
      }
      // A machine that is shared is not to be kept busy by refusals.
      await sleep(2);
    }
  };

  const writer = async () => {
    while (!stopped) {
      if (!writing) {
        resting();
        await sleep(5);
        continue;
      }
      begun = committed.length;
      // One transaction, so one version for all of them: a body under another's id would not be told by its version.
      await sql`update campaigns set title = id || ${` v${begun}`}`;
      committed.push(performance.now());
      await sleep(writePauseMs);
    }
  };

  const done = Promise.all([writer(), ...Array.from({ length: readers }, (_, i) => reader(i))]);
  return {
    verdict: () => {
      const verdict = seen;
      seen = noVerdict();
      return verdict;
    },
    rest: () =>
      new Promise((resolve) => {
        resting = resolve;
        writing = false;
      }),
    write: () => {
      writing = true;
    },
    stop: async () => {
      stopped = true;
      await done;
    },
  };
}

function noVerdict(): Verdict {
  return { answered: 0, unavailable: 0, bypassed: 0, roundTrips: 0, wrong: [] };
}
