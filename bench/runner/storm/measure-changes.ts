import type { Sql } from 'postgres';
import type { Bench } from '../compare.ts';
import type { Asked } from './measure-storm.ts';
import { nestedServer } from './nested-server.ts';

/** What a statement that changes many rows does to those who ask: one figure a turn, before it and while it is told. */
export interface Changes {
  readonly connections: number;
  readonly rows: number;
  /** From the statement's beginning until every change of it was told, in seconds. */
  readonly seconds: number;
  readonly alone: readonly Asked[];
  readonly during: readonly Asked[];
}

/** How many rows one statement changes, where there are as many. */
const ROWS = 100_000;

/** How often the server is asked what it has not told yet, in milliseconds: it looks four times a second itself. */
const LOOK_MS = 300;

/** The Redis database of this server. */
const REDIS = 28;

/**
 * Lets Larder answer the nested query, while nothing changes and while one statement changes many rows and the outbox drains.
 *
 * @param bench what to measure on
 * @returns how it did
 */
export async function measureChanges(bench: Bench): Promise<Changes> {
  const { mode, stores, database, say } = bench;
  const { connections, seconds } = mode;
  const { server, ask } = await nestedServer(bench, 'changes', REDIS);
  const sql = stores.connect(database);
  try {
    await ask(seconds);
    const alone: Asked[] = [];
    for (let round = 1; round <= mode.rounds; round += 1) alone.push(await ask(seconds));
    const rows = Math.min(ROWS, mode.data.events);
    let isTold = false;
    const change = async (): Promise<number> => {
      const started = performance.now();
      try {
        await changeRows(sql, rows, server.url);
      } finally {
        isTold = true;
      }
      return (performance.now() - started) / 1000;
    };
    const read = async (): Promise<Asked[]> => {
      const found: Asked[] = [];
      do found.push(await ask(seconds));
      while (!isTold);
      return found;
    };
    const [during, took] = await Promise.all([read(), change()]);
    say(`  changes      ${rows.toLocaleString('en-US')} rows were changed and told in ${took.toFixed(1)} s`);
    return { connections, rows, seconds: took, alone, during };
  } finally {
    await server.stop();
  }
}

/** Changes rows as somebody with psql would, and waits until the server has told all of it. */
async function changeRows(sql: Sql, rows: number, url: string): Promise<void> {
  await sql`update events set title = title where id <= ${rows}`;
  let depth: number | null = null;
  while (depth !== 0) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const ready = (await (await fetch(`${url}/readyz`)).json()) as { outbox: { depth: number } | null };
    depth = ready.outbox?.depth ?? null;
  }
}
