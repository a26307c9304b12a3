import { Agent, get } from 'node:http';
import postgres from 'postgres';
import { sleep, systemClock } from '../../clock.ts';

/** Rows of the judge's own. */
const BRAND = 'read by the judge';
const ROWS = 5;
const READERS = 8;
const READ_PAUSE_MS = 10;
const WRITE_PAUSE_MS = 50;
const TIMEOUT_MS = 20_000;

/** How old answers may be, in milliseconds. */
export interface Bounds {
  readonly byId: number;
  readonly listed: number;
}

/** What came of the reads. */
export interface Verdict {
  /** Reads that were answered with data. */
  answered: number;
  /** Reads that were told to come again (503). */
  unavailable: number;
  /** Reads that got no answer, or another one. */
  readonly lost: string[];
  /** Answers that are older than they may be, or say what was never written. */
  readonly wrong: string[];
  /** How long answers took, in milliseconds. */
  readonly ms: number[];
}

/** Somebody who writes and reads, and knows what may be read. */
export interface Judge {
  /** How many reads were answered since the start or the last verdict. */
  readonly answered: number;
  /** What was seen since the start or the last verdict. */
  verdict(): Verdict;
  stop(): Promise<void>;
}

const noVerdict = (): Verdict => ({ answered: 0, unavailable: 0, lost: [], wrong: [], ms: [] });
const globalId = (type: string, id: string) => Buffer.from(`${type}:${id}`).toString('base64');

/**
 * Changes rows as psql would, and reads them by GET, by id and in a list. An answer must say what had been committed as long before it was
 * asked for as it may be old, or something newer.
 *
 * @param url where to read
 * @param databaseUrl where to write
 * @param bounds how old answers may be
 * @returns the judge, at work
 */
export async function startJudge(url: string, databaseUrl: string, bounds: Bounds): Promise<Judge> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {}, fetch_types: false });
  const [brand] = await sql<{ id: string }[]>`insert into brands (name) values (${BRAND}) returning id`;
  const brandId = String(brand?.id);
  const campaigns = await sql<{ id: string }[]>`
    insert into campaigns (brand_id, title) select ${brandId}::bigint, 'v0' from generate_series(1, ${ROWS}::int) returning id`;
  const ids = campaigns.map(({ id }) => globalId('Campaign', String(id)));
  const queries = {
    byId: `{ nodes(ids: ${JSON.stringify(ids)}) { ... on Campaign { title } } }`,
    listed: `{ brand(id: "${globalId('Brand', brandId)}") { campaigns(first: ${ROWS}) { nodes { title } } } }`,
  };
  /** When each version was committed. */
  const committed = [systemClock.now()];
  let begun = 0;
  let stopped = false;
  let seen = noVerdict();

  const read = async (how: keyof typeof queries, agent: Agent) => {
    const asked = systemClock.now();
    const answer = await ask(`${url}/graphql?query=${encodeURIComponent(queries[how])}`, agent);
    if (answer.status === 503) seen.unavailable += 1;
    if (answer.status === 503) return;
    const titles = answer.status === 200 ? titlesOf(answer.text) : [];
    if (titles.length !== ROWS) {
      seen.lost.push(`${answer.status} ${answer.text.slice(0, 300)}`);
      return;
    }
    seen.answered += 1;
    seen.ms.push(systemClock.now() - asked);
    let least = committed.length - 1;
    while (least > 0 && (committed[least] as number) > asked - bounds[how]) least -= 1;
    for (const title of titles) {
      const version = Number(title.slice(1));
      if (!(version >= least && version <= begun)) seen.wrong.push(`${how}: ${title}, not v${least} to v${begun}`);
    }
  };
  const reader = async (first: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = first; !stopped; turn += 1) {
      await read(turn % 2 === 0 ? 'byId' : 'listed', agent);
      await sleep(systemClock, READ_PAUSE_MS);
    }
    agent.destroy();
  };
  const writer = async () => {
    while (!stopped) {
      begun = committed.length;
      try {
        await sql`update campaigns set title = ${`v${begun}`} where brand_id = ${brandId}::bigint`;
        committed.push(systemClock.now());
      } catch (error) {
        // Postgres is away: the same is written again, so that it does not matter whether it was written.
        if (!(error instanceof Error)) throw error;
      }
      await sleep(systemClock, WRITE_PAUSE_MS);
    }
  };
  const done = Promise.all([writer(), ...Array.from({ length: READERS }, (_, i) => reader(i))]);
  return {
    get answered() {
      return seen.answered;
    },
    verdict: () => {
      const verdict = seen;
      seen = noVerdict();
      return verdict;
    },
    stop: async () => {
      stopped = true;
      await done;
      await sql.end({ timeout: 5 });
    },
  };
}

function ask(url: string, agent: Agent): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve({ status: 0, text: error.message });
    const sent = get(url, { agent, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('error', failed);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    sent.once('error', failed);
  });
}

function titlesOf(text: string): string[] {
  return [...text.matchAll(/"title":"(v\d+)"/g)].map(([, title = '']) => title);
}
