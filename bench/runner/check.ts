import { isDeepStrictEqual } from 'node:util';
import type { Sql } from 'postgres';
import { queriesOf } from './peers.ts';
import type { Cursors, QueryName, Subject } from './queries.ts';
import type { Server } from './server.ts';
import { type Pool, randomOf } from './traffic.ts';

/** How many pages and campaigns, drawn at random, all peers must agree about. */
const SAMPLES = 10;

/**
 * Learns from a page how a server writes cursors. Each holds the id of its campaign, as such or in base64, and differs from others in
 * nothing else.
 *
 * @param server whose cursors
 * @returns the cursors by the id of the campaign that they stand for; none where ids themselves are the cursors
 * @throws when the cursors of the page are not written so
 */
export async function readCursors({ peer, ask }: Pick<Server, 'peer' | 'ask'>): Promise<Cursors> {
  const { dialect } = peer;
  if (!queriesOf(peer).includes('random') || dialect.cursorPage === undefined || dialect.readCursors === undefined) {
    return new Map();
  }
  const page = dialect.readCursors(await ask(dialect.cursorPage(null)));
  const [id = '', cursor = ''] = page.at(-1) ?? [];
  const decoded = Buffer.from(cursor, 'base64').toString('utf8');
  const encoded = Buffer.from(decoded).toString('base64') === cursor;
  const text = encoded ? decoded : cursor;
  const at = text.lastIndexOf(id);
  const get = (other: string) => {
    const written = `${text.slice(0, at)}${other}${text.slice(at + id.length)}`;
    return encoded ? Buffer.from(written).toString('base64') : written;
  };
  const different = page.find(([one, its]) => get(one) !== its);
  if (at < 0 || different !== undefined) {
    throw new Error(`${peer.name} does not write cursors as expected: ${text}, and ${String(different)}.`);
  }
  return { get };
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
  cursors: ReadonlyMap<Server, Cursors>,
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
  questions.push({
    query: 'heavy',
    subject: { after: String(pool.heavyAfter), campaign: '1', event: '1', title: '' },
  });
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

async function checkWrite(server: Server, cursors: ReadonlyMap<Server, Cursors>, sql: Sql): Promise<void> {
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
  cursors: ReadonlyMap<Server, Cursors>,
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
