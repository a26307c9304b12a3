import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type Test, t } from 'tap';
import { makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';
import { type Received, type Sent, send } from './client.ts';

const server = await startServer(t, { redis: null, env: { GRAPHIQL: 'true' } });
await makeData(server.sql, { brands: 5, campaigns: 100, events: 200, perCampaign: 20 });
await server.sql`update campaigns set body = repeat('Grüße aus dem Sommer! ', 100)`;

const QUERIES = {
  tiny: '{ campaigns(first: 2) { nodes { id title } } }',
  page: '{ campaigns(first: 5) { nodes { id title body } } }',
  // More than is compressed at once.
  large: '{ campaigns(first: 100) { nodes { id title body events(first: 20) { nodes { id title } } } } }',
};

const ask = (encoding: string | null, sent: Sent, headers: Readonly<Record<string, string>> = {}) =>
  send(server.url, { ...sent, headers: { ...headers, ...(encoding === null ? {} : { 'accept-encoding': encoding }) } });

/** The body as it was before it was compressed. */
function unpacked({ headers, body }: Received): Buffer {
  const encoding = headers['content-encoding'];
  if (encoding === undefined) return body;
  if (encoding === 'br') return brotliDecompressSync(body);
  if (encoding === 'gzip') return gunzipSync(body);
  throw new Error(`What is ${encoding}?`);
}

function varies(t: Test, { headers }: Received): void {
  const vary = String(headers.vary).toLowerCase().split(/, */);
  t.equal(vary.filter((name) => name === 'accept-encoding').length, 1, 'caches keep the encodings apart');
}

t.test('an answer is compressed as the client likes it best', async (t) => {
  const accepted: Record<string, string | undefined> = {
    'gzip, deflate, br, zstd': 'br',
    br: 'br',
    'br;q=0.5, gzip': 'gzip',
    gzip: 'gzip',
    'x-gzip': 'gzip',
    GZIP: 'gzip',
    '*': 'gzip',
    'identity, gzip;q=0.5': undefined,
    identity: undefined,
    deflate: undefined,
    zstd: undefined,
    'br;q=0, gzip;q=0': undefined,
    '': undefined,
    nonsense: undefined,
    [', ;q=x,'.repeat(500)]: undefined,
  };
  for (const query of [QUERIES.page, QUERIES.large]) {
    const plain = await ask(null, { body: { query } });
    t.equal(plain.headers['content-encoding'], undefined, 'who does not ask for it gets the text');
    varies(t, plain);
    for (const [encoding, expected] of Object.entries(accepted)) {
      for (const sent of [{ body: { query } }, { search: { query } }]) {
        const answer = await ask(encoding, sent);
        t.same([answer.status, answer.headers['content-encoding']], [200, expected], encoding.slice(0, 40));
        t.ok(unpacked(answer).equals(plain.body), 'it is the same answer');
        t.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
        varies(t, answer);
        if (expected !== undefined) t.ok(answer.body.length < plain.body.length / 2);
      }
    }
  }
});

t.test('what fits into a packet is sent as it is, and so is what a client wants so', async (t) => {
  const tiny = await ask('br, gzip', { body: { query: QUERIES.tiny } });
  t.equal(tiny.headers['content-encoding'], undefined);
  varies(t, tiny);
  const wanted = await ask('br, gzip', { body: { query: QUERIES.page } }, { 'x-no-compression': '1' });
  t.equal(wanted.headers['content-encoding'], undefined);
  t.equal(wanted.json.errors, undefined);
});

t.test('HEAD says what GET would', async (t) => {
  for (const encoding of ['br', 'gzip', null]) {
    const sent = { search: { query: QUERIES.page } };
    const got = await ask(encoding, sent);
    const head = await ask(encoding, { ...sent, method: 'HEAD' });
    t.equal(head.body.length, 0);
    for (const name of ['content-length', 'content-encoding', 'content-type', 'vary', 'cache-control']) {
      t.equal(head.headers[name], got.headers[name], name);
    }
    t.equal(got.headers['content-length'], String(got.body.length));
  }
  t.equal((await ask('br', { search: { query: QUERIES.large }, method: 'HEAD' })).body.length, 0);
});

t.test('figures come with it', async (t) => {
  const sizes = async () => {
    const text = await (await fetch(server.metricsUrl)).text();
    return [...text.matchAll(/^larder_response_size_bytes_sum\{.*\} (\d+)$/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  };
  for (const query of [QUERIES.page, QUERIES.large]) {
    const before = await sizes();
    const answer = await ask('br', { body: { query } }, { 'x-inspect': '1' });
    t.match(answer.headers['server-timing'], /sql;dur=/);
    const text = unpacked(answer);
    t.type(JSON.parse(text.toString()).extensions.dataFetching.sql.statements, 'number');
    t.equal((await sizes()) - before, text.length, 'a response counts as long as it was before');
  }
});

t.test('the assets of GraphiQL are compressed, and stay as good to caches as they were', async (t) => {
  for (const path of ['/graphiql', '/graphiql/graphiql.min.js', '/graphiql/graphiql.min.css']) {
    const plain = await ask(null, { path });
    const answer = await ask('gzip, deflate, br', { path });
    t.same([plain.headers['content-encoding'], answer.headers['content-encoding']], [undefined, 'br'], path);
    t.equal(unpacked(answer).length, plain.body.length);
    t.equal(answer.headers.etag, plain.headers.etag);
    for (const one of [plain, answer]) varies(t, one);
    const { etag } = answer.headers;
    if (etag === undefined) continue;
    t.match(etag, /^W\//, 'a strong one would have to differ');
    t.equal((await ask('br', { path }, { 'if-none-match': etag })).status, 304);
    const part = await ask('br', { path }, { range: 'bytes=0-9' });
    t.same([part.status, part.headers['content-encoding']], [206, undefined]);
    t.ok(part.body.equals(plain.body.subarray(0, 10)));
  }
});

t.test('nothing is compressed where that is off', async (t) => {
  const off = await startServer(t, { redis: null, env: { COMPRESSION: 'false', GRAPHIQL: 'true' } });
  await makeData(off.sql, { brands: 5, campaigns: 100, events: 200, perCampaign: 20 });
  const headers = { 'accept-encoding': 'br, gzip' };
  for (const sent of [{ body: { query: QUERIES.large } }, { path: '/graphiql/graphiql.min.js' }]) {
    const answer = await send(off.url, { ...sent, headers });
    t.same([answer.status, answer.headers['content-encoding']], [200, undefined]);
    t.ok(answer.body.length > 20_000);
  }
});
