import { once } from 'node:events';
import { t } from 'tap';
import { makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';
import { startProcess } from './child.ts';
import { openRaw, type RawConnection, send } from './client.ts';

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeData(sql, { brands: 2, campaigns: 50, events: 30, perCampaign: 10 });
await sql`update campaigns set body = repeat('x', 20000)`;
// Ids of the data are given, and the sequence does not know them.
await sql`select setval(pg_get_serial_sequence('brands', 'id'), 1000)`;
const server = await startProcess(
  t,
  { database, redis: null },
  { DATABASE_POOL_SIZE: '1', MAX_COST: '100000', GRAPHIQL: 'true', SLOW_REQUEST_MS: '60000', JWT_SECRET },
);

const HEAD = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
const post = (query: string, headers = '') => {
  const body = JSON.stringify({ query });
  return `${HEAD}${headers}content-length: ${body.length}\r\n\r\n${body}`;
};

/** More than the buffers of both sides hold. */
const LARGE = `{ ${Array.from({ length: 20 }, (_, i) => `a${i}: campaigns(first: 50) { nodes { body } }`).join(' ')} }`;
const token = `authorization: ${bearer().authorization}\r\n`;

/** What clients have sent when they hang up, each on a connection of its own. */
const SENT = {
  'half a line': ['POST /gra'],
  'half a body': [`${HEAD}content-length: 1000\r\n\r\n{"query`],
  'half a chunk': [`${HEAD}transfer-encoding: chunked\r\n\r\n10\r\n{"q`],
};

/** What they wait for when they hang up, while a table is locked. */
const WAITING = {
  'pages, many of which have no place at Postgres yet': Array.from({ length: 60 }, (_, i) =>
    post(`{ brands(first: ${i}) { totalCount nodes { name campaigns { nodes { title } } } } }`),
  ),
  writes: Array.from({ length: 10 }, (_, i) =>
    post(`mutation { createBrand(input: { name: "b${i}" }) { brand { id } } }`, token),
  ),
};

/** What they have not read to its end when they hang up. */
const READING = {
  'a large answer': [post(LARGE)],
  'a large answer that is compressed': Array.from({ length: 5 }, () => post(LARGE, 'accept-encoding: br\r\n')),
  'an asset': ['GET /graphiql/graphiql.min.js HTTP/1.1\r\nhost: x\r\n\r\n'],
  'an asset that is compressed': ['GET /graphiql/graphiql.min.js HTTP/1.1\r\nhost: x\r\naccept-encoding: br\r\n\r\n'],
};

type Way = 'closes' | 'resets';

async function hangUp(connections: readonly RawConnection[], way: Way): Promise<void> {
  for (const { socket } of connections) {
    if (way === 'closes') socket.destroy();
    else socket.resetAndDestroy();
  }
  await Promise.all(connections.map(({ closed }) => closed));
}

let marks = 0;

/** Ends when the server has nothing under way any more, and its log has been read up to there. */
async function calm(): Promise<void> {
  await until('nothing is under way', async () => {
    const [row] = await sql`
      select count(*)::int as n from pg_stat_activity
      where datname = current_database() and application_name = 'larder' and state <> 'idle'`;
    return Number(row?.n) === 0;
  });
  marks += 1;
  const mark = `mark-${marks}-`;
  await send(server.url, { body: { query: '{ brands { totalCount } }' }, headers: { 'x-request-id': mark } });
  await until('the log has come', async () => new RegExp(`"${mark}".*"msg":"request"`).test(server.output()));
}

/** The lines of the log that a test made, those about requests, and those that look for somebody's attention. */
function watch() {
  const from = server.output().length;
  const lines = () => server.output().slice(from).split('\n');
  return {
    requests: () => lines().filter((line) => line.includes('"msg":"request"')),
    warnings: () => lines().filter((line) => /"level":[456]0/.test(line)),
  };
}

/** How many GraphQL requests were counted, by status. */
async function counts(): Promise<Map<string, number>> {
  const text = await (await fetch(server.metricsUrl)).text();
  const series = text.matchAll(/^larder_request_duration_seconds_count\{operation="other",status="(\d+)"\} (\d+)$/gm);
  return new Map([...series].map(([, status = '', count]) => [status, Number(count)]));
}

const sum = (of: ReadonlyMap<string, number>) => [...of.values()].reduce((a, b) => a + b, 0);

for (const way of ['closes', 'resets'] as const) {
  for (const [name, sent] of Object.entries(SENT)) {
    t.test(`a client that ${way} its connection amid ${name} is no warning`, async (t) => {
      const { warnings } = watch();
      await hangUp(await Promise.all(sent.map((bytes) => openRaw(t, server.url, bytes))), way);
      await calm();
      t.same(warnings(), []);
    });
  }
  for (const [name, sent] of Object.entries(WAITING)) {
    t.test(
      `clients that wait for ${name}, when each ${way} its connection, are no warning, and each is counted`,
      async (t) => {
        const { requests, warnings } = watch();
        const before = await counts();
        await sql.begin(async (transaction) => {
          await transaction`lock table brands in access exclusive mode`;
          const connections = await Promise.all(sent.map((bytes) => openRaw(t, server.url, bytes)));
          // An answer to a later request says that the server has read all the earlier ones.
          await send(server.url, { body: { query: '{ __typename }' } });
          await hangUp(connections, way);
          await send(server.url, { body: { query: '{ __typename }' } });
        });
        await calm();
        t.same(warnings(), []);
        await until('each has its line', () => requests().length >= sent.length + 3);
        const left = requests().filter((line) => line.includes('"status":499'));
        t.equal(left.length, sent.length, 'a line for each');
        t.ok(left.every((line) => line.includes('"hungUp":true')));
        t.equal(requests().length, sent.length + 3, 'and one for each of ours, so that none has two');
        const after = await counts();
        t.equal((after.get('499') ?? 0) - (before.get('499') ?? 0), sent.length);
        t.equal(sum(after) - sum(before), sent.length + 3);
      },
    );
  }
  for (const [name, sent] of Object.entries(READING)) {
    t.test(`a client that ${way} its connection amid ${name} is no warning, and has one line`, async (t) => {
      const { requests, warnings } = watch();
      const before = sum(await counts());
      const connections = await Promise.all(sent.map((bytes) => openRaw(t, server.url, bytes)));
      await Promise.all(connections.map(({ socket }) => once(socket, 'data')));
      for (const { socket } of connections) socket.pause();
      await hangUp(connections, way);
      await calm();
      t.same(warnings(), []);
      await until('each has its line', () => requests().length > sent.length);
      const lines = requests();
      t.equal(lines.length, sent.length + 1, 'ours has one, too');
      t.ok(
        lines.every((line) => line.includes('"level":30') && line.includes('"status":200')),
        'an answer that has begun keeps its status, and who left is for information',
      );
      t.ok(
        lines.some((line) => !line.includes('hungUp')),
        'ours did not leave',
      );
      const asked = sent.filter((bytes) => bytes.startsWith('POST')).length;
      t.equal(sum(await counts()) - before, asked + 1);
    });
  }
}
