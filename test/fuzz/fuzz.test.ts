import * as fc from 'fast-check';
import { createSigner } from 'fast-jwt';
import { OperationTypeNode } from 'graphql';
import { t } from 'tap';
import { buildGraphQLSchema } from '../../src/app/schema.ts';
import { startProcess } from '../http/child.ts';
import { codes, keepAlive, type Received, send } from '../http/client.ts';
import { makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { type FuzzRequest, requests } from './requests.ts';

/** How many requests there are in all, and how many are under way at a time. */
const READS = 18_000;
const WRITES = 2_000;
const BATCH = 250;
const CONNECTIONS = 8;

/** A request that is not answered by then hangs. */
const HANG_MS = 30_000;

/** What the heap may grow by: the documents that are remembered (64 MB, and copies of the small ones) and little more. */
const GROWTH_BYTES = 150_000_000;

const SECRET = 'a secret of at least thirty-two characters';
const QUERY = '{ campaigns(first: 3) { totalCount nodes { title events(first: 2) { nodes { title startsAt } } } } }';

/** What no stranger should see. */
const INTERNAL = /node_modules|\.[jt]s:\d+|select .* from |insert into|did you mean|INTERNAL_SERVER_ERROR/i;

/** What a valid document may be answered with besides data: it may be too much, or mean nothing. */
const VALID_CODES = [
  'BAD_USER_INPUT',
  'COST_LIMIT',
  'NODE_LIMIT',
  'DOCUMENT_TOO_LARGE',
  'UNAUTHENTICATED',
  'METHOD_NOT_ALLOWED',
];

// A run of its own each time; `FUZZ_SEED=… npx tsx test/run.ts test/fuzz/fuzz.test.ts` runs one again.
const seed = Number(process.env.FUZZ_SEED || Date.now() % 0x7fff_ffff);
t.comment(`FUZZ_SEED=${seed}`);
// A minute and a half where nothing else runs, and much more where others do.
t.setTimeout(2_400_000);

const schema = buildGraphQLSchema();
const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeData(sql, { brands: 3, campaigns: 30, events: 60, perCampaign: 10 });
await sql`select setval(pg_get_serial_sequence(name, 'id'), 1000) from unnest(array['brands', 'campaigns', 'events']) name`;
const server = await startProcess(
  t,
  { database, redis: await freshRedis(t) },
  {
    JWT_SECRET: SECRET,
    LOG_LEVEL: 'warn',
    // Slowness is this machine's; what is looked for is what breaks.
    MAX_EVENT_LOOP_DELAY_MS: '0',
    REQUEST_TIMEOUT_MS: String(HANG_MS),
    STATEMENT_TIMEOUT_MS: String(HANG_MS),
  },
);
const agent = keepAlive(t, CONNECTIONS);
const token = createSigner({ key: SECRET })({ sub: 'fuzz', scope: 'write' });

/** What is wrong with an answer; `null` when nothing is. */
function wrong({ kind, sent }: FuzzRequest, answer: Received): string | null {
  const { status, text, json, headers } = answer;
  if (status >= 500) return `the status ${status}`;
  if (INTERNAL.test(text)) return 'something internal';
  if (sent.method === 'HEAD' || status === 204) return null;
  if (!/^application\/(graphql-response\+)?json; charset=utf-8$/.test(headers['content-type'] ?? '')) return 'the type';
  if (json.errors === undefined) return 'data' in json || 'status' in json ? null : 'neither data nor errors';
  if (!Array.isArray(json.errors) || json.errors.length === 0) return 'an empty list of errors';
  for (const error of json.errors) {
    if (typeof error.message !== 'string' || error.message === '') return 'an error without a message';
    if (typeof error.extensions?.code !== 'string') return 'an error without a code';
  }
  const unexpected = codes(answer).filter((code) => !VALID_CODES.includes(String(code)));
  return kind === 'valid' && unexpected.length > 0 ? `${String(unexpected[0])} for a valid document` : null;
}

const counts: Record<string, number> = {};

async function check(request: FuzzRequest, headers: Readonly<Record<string, string>>): Promise<void> {
  const sent = { ...request.sent, agent, headers: { ...headers, ...request.sent.headers } };
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), 2 * HANG_MS);
  });
  const shown = JSON.stringify(request).slice(0, 3000);
  try {
    const answer = await Promise.race([send(server.url, sent), hang]);
    const problem = wrong(request, answer);
    if (problem !== null) throw new Error(`got ${problem}: ${answer.status} ${answer.text.slice(0, 1000)}`);
    const outcome = `${request.kind}: ${answer.json.errors === undefined ? 'data' : 'errors'}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nfor ${shown}\nwith FUZZ_SEED=${seed}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends so many requests, some at a time. What fails is shown as it is: the same seed makes the same requests. */
async function fuzz(made: fc.Arbitrary<FuzzRequest>, count: number, headers: Record<string, string>): Promise<void> {
  const batches = fc.array(made, { minLength: BATCH, maxLength: BATCH });
  const property = fc.asyncProperty(batches, async (batch) => {
    const left = batch.values();
    const work = async () => {
      for (const request of left) await check(request, headers);
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
  });
  // The counterexample would be the whole batch; the error names the request.
  const result = await fc.check(property, { seed, numRuns: count / BATCH, endOnFailure: true });
  if (result.failed) throw result.errorInstance;
}

/** Everything that is stored, in a few letters. */
async function stored(): Promise<string> {
  const tables = ['brands', 'campaigns', 'events', 'campaign_events'];
  const sums = tables.map(
    (table) => sql`select md5(coalesce(string_agg(x::text, ',' order by x::text), '')) as sum from ${sql(table)} x`,
  );
  return JSON.stringify(await Promise.all(sums));
}

const expected = (await send(server.url, { body: { query: QUERY } })).text;

t.test(`${READS} requests to read`, async (t) => {
  const before = await stored();
  await fuzz(requests(schema, OperationTypeNode.QUERY), 10 * BATCH, {});
  const warm = await server.heapAfterGc();
  await fuzz(requests(schema, OperationTypeNode.QUERY), READS - 12 * BATCH, {});
  await fuzz(requests(schema, OperationTypeNode.MUTATION), 2 * BATCH, {});
  const after = await server.heapAfterGc();
  t.equal(await stored(), before, 'nothing that is stored has changed');
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  t.ok(after - warm < GROWTH_BYTES, `the heap went from ${megabytes(warm)} to ${megabytes(after)}`);
});

t.test(`${WRITES} requests to write`, async (t) => {
  const before = await stored();
  await fuzz(requests(schema, OperationTypeNode.MUTATION), WRITES, { authorization: `Bearer ${token}` });
  t.not(await stored(), before, 'some of them wrote something');
});

t.test('the server is as well as before', async (t) => {
  t.comment(JSON.stringify(counts));
  const sum = Object.values(counts).reduce((a, b) => a + b, 0);
  t.equal(sum, READS + WRITES, 'every request was answered');
  t.ok((counts['valid: data'] ?? 0) > sum / 10, 'many of them with data');
  t.ok((counts['nearly valid: errors'] ?? 0) > sum / 10, 'and many with errors');
  t.equal(server.exitCode(), null, 'it lives');
  const { text } = await send(server.url, { body: { query: '{ __typename }' } });
  t.equal(text, '{"data":{"__typename":"Query"}}');
  t.ok(expected.includes('"totalCount":30'));
  const lines = server
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":50'));
  t.same(lines, [], 'and no error was logged');
});
