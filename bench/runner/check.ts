import { isDeepStrictEqual } from 'node:util';
import type { Sql } from 'postgres';
import { queriesOf } from './peers.ts';
import type { QueryName, Subject } from './queries.ts';
import type { Server } from './server.ts';
import { type Pool, randomOf } from './traffic.ts';

/** How many pages and campaigns, drawn at random, all peers must agree about. */
const SAMPLES = 10;

/**
 * Walks through all campaigns for the cursor of each.
 *
 * @param server whose cursors
 * @returns the cursors by the id of the campaign that they stand for; ids themselves where these are the cursors
 */
export async function readCursors(server: Server): Promise<ReadonlyMap<string, string>> {
  const { dialect } = server.peer;
  const cursors = new Map<string, string>();
  if (dialect.cursorPage === undefined || dialect.readCursors === undefined) return cursors;
  let after: string | null = null;
  for (;;) {
    const page: [string, string][] = dialect.readCursors(await server.ask(dialect.cursorPage(after)));
    for (const [id, cursor] of page) cursors.set(id, cursor);
    after = page.at(-1)?.[1] ?? null;
    if (after === null) return cursors;
  }
}

/**
 * Asks all servers the same and compares what they answer.
 *
 * @param servers the servers; the first one's answers are those that the others are held to
 * @param cursors the cursors of each
 * @param pool what the data allows
 * @param sql a connection to the database
 * @throws when any answer differs, with the first difference
 */
export async function checkEqual(
  servers: readonly Server[],
  cursors: ReadonlyMap<Server, ReadonlyMap<string, string>>,
  pool: Pool,
  sql: Sql,
): Promise<number> {
  const random = randomOf(1);
  let compared = 0;
  const whole: readonly QueryName[] = ['nested', 'wide', 'threeLevels'];
  const drawn: readonly QueryName[] = ['random', 'byId'];
  const questions: { query: QueryName; subject: Subject }[] = whole.map((query) => ({
    query,
    subject: { after: null, campaign: '1', event: '1', title: '' },
  }));
  for (let i = 0; i < SAMPLES; i++) {
    const after = String(1 + Math.floor(random() * (pool.campaigns - pool.pageSize)));
    const campaign = String(1 + Math.floor(random() * pool.campaigns));
    for (const query of drawn) questions.push({ query, subject: { after, campaign, event: '1', title: '' } });
  }
  for (const { query, subject } of questions) {
    let expected: unknown;
    for (const server of servers) {
      if (!queriesOf(server.peer).includes(query)) continue;
      const answer = await answerOf(server, query, subject, cursors);
      if (expected === undefined) expected = answer;
      else expectEqual(server, query, answer, expected);
      compared += 1;
    }
  }
  for (const server of servers) {
    if (!queriesOf(server.peer).includes('mutation')) continue;
    compared += 1;
    await checkWrite(server, cursors, sql);
  }
  return compared;
}

async function checkWrite(
  server: Server,
  cursors: ReadonlyMap<Server, ReadonlyMap<string, string>>,
  sql: Sql,
): Promise<void> {
  const [before] = await sql<{ id: string; title: string }[]>`select id::text, title from events order by id limit 1`;
  if (before === undefined) throw new Error('There is no event to write to.');
  const title = `Written through ${server.peer.name}`;
  const subject = { after: null, campaign: '1', event: before.id, title };
  try {
    expectEqual(server, 'mutation', await answerOf(server, 'mutation', subject, cursors), { id: before.id, title });
    const [stored] = await sql<{ title: string }[]>`select title from events where id = ${before.id}`;
    if (stored?.title !== title) throw new Error(`${server.peer.name} did not write the title of an event.`);
  } finally {
    await sql`update events set title = ${before.title} where id = ${before.id}`;
  }
}

async function answerOf(
  server: Server,
  query: QueryName,
  subject: Subject,
  cursors: ReadonlyMap<Server, ReadonlyMap<string, string>>,
): Promise<unknown> {
  const { dialect } = server.peer;
  return dialect.normalise(query, await server.ask(dialect.request(query, subject, cursors.get(server) ?? new Map())));
}

function expectEqual(server: Server, query: QueryName, answer: unknown, expected: unknown): void {
  if (isDeepStrictEqual(answer, expected)) return;
  throw new Error(`${server.peer.name} answers ${query} differently: ${difference(answer, expected, 'answer')}`);
}

/** Where two values part first. */
function difference(a: unknown, b: unknown, path: string): string {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return `${path} is ${JSON.stringify(a)}, expected ${JSON.stringify(b)}`;
  }
  for (const key of new Set([...Object.keys(b), ...Object.keys(a)])) {
    const [one, other] = [(a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]];
    if (!isDeepStrictEqual(one, other)) return difference(one, other, `${path}.${key}`);
  }
  return `${path} differs`;
}
