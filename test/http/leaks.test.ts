import { randomBytes } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { until } from '../support/until.ts';
import { startProcess } from './child.ts';
import { codes, openRaw, type Received, type Sent, send } from './client.ts';

const SECRET = 'a secret of at least thirty-two characters';
const token = createSigner({ key: SECRET })({ sub: 'somebody', scope: 'write' });

/** What must not be found: a name in GraphQL, a header and a URL alike, and not too long to be shown by anybody. */
const CANARY = `c4n4ry${randomBytes(9).toString('hex')}`;

/** The ways in which it could be written where it is found. */
const FORMS = [
  CANARY,
  Buffer.from(CANARY).toString('hex'),
  // Wherever it begins in a text that is base64 as a whole, some of its middle looks like one of these.
  ...[0, 1, 2].map((offset) =>
    Buffer.from(' '.repeat(offset) + CANARY)
      .toString('base64')
      .slice(8, 20),
  ),
  // As a Buffer looks in JSON.
  [...Buffer.from(CANARY)].slice(4, 12).join(','),
];
const leaks = (text: string) => FORMS.filter((form) => text.toLowerCase().includes(form.toLowerCase()));

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeData(sql, { brands: 2, campaigns: 12, events: 30, perCampaign: 10 });
await sql`select setval(pg_get_serial_sequence('brands', 'id'), 1000)`;
const server = await startProcess(
  t,
  { database, redis: await freshRedis(t) },
  {
    LOG_LEVEL: 'trace',
    JWT_SECRET: SECRET,
    REQUEST_TIMEOUT_MS: '1500',
    STATEMENT_TIMEOUT_MS: '5000',
    SLOW_REQUEST_MS: '1',
  },
);

const query = (text: string, variables?: object, headers: Record<string, string> = {}): Sent => ({
  body: { query: text, variables },
  headers,
});
const bearer = { authorization: `Bearer ${token}` };

/** Requests with the canary in every place that a client can put something. */
const HIDDEN: Record<string, Sent> = {
  'a string in the document': query(`{ brand(id: "${CANARY}") { name } }`),
  'a string in a document that is not valid': query(`{ brands(first: "${CANARY}") { totalCount } }`),
  'a block string': query(`{ brands(first: """${CANARY}""") { totalCount } }`),
  'a list of strings': query(`{ brands(first: ["${CANARY}"]) { totalCount } }`),
  'an object': query(`{ events(orderBy: { field: "${CANARY}" }) { totalCount } }`),
  'an object of a wrong type': query(`{ brands(first: { ${CANARY}: "${CANARY}" }) { totalCount } }`),
  'a time': query(`{ events(startsAfter: "${CANARY}") { totalCount } }`),
  'a comment': query(`{ __typename } # ${CANARY}`),
  'a comment before a syntax error': query(`# ${CANARY}\n{ { "${CANARY}" } }`),
  'a string that ends the document': query(`{ brands(first: "${CANARY}`),
  'a string where none belongs': query(`{ "${CANARY}" }`),
  'a cursor': query(`{ brands(after: "${CANARY}") { totalCount } }`),
  'a cursor that is base64': query('query ($c: String) { brands(after: $c) { totalCount } }', {
    c: Buffer.from(JSON.stringify(['Brand.all', 'ID', null, CANARY])).toString('base64'),
  }),
  'a global id': query('query ($i: ID!) { node(id: $i) { id } }', { i: globalId(CANARY, 1) }),
  'a global id of a known type': query('query ($i: ID!) { node(id: $i) { id } }', { i: globalId('Brand', CANARY) }),
  'a list of ids': query('query ($i: [ID!]!) { nodes(ids: $i) { id } }', { i: Array(200).fill(CANARY) }),
  'a variable': query('query ($x: ID!) { brand(id: $x) { name } }', { x: CANARY }),
  'a variable of a wrong type': query('query ($x: Int) { brands(first: $x) { totalCount } }', { x: CANARY }),
  'a variable with marks that end messages': query('query ($x: Int) { brands(first: $x) { totalCount } }', {
    x: `a"; ${CANARY}: ${CANARY} at "x"; Did you mean ${CANARY}?`,
  }),
  'an object for a number': query('query ($x: Int) { brands(first: $x) { totalCount } }', { x: { [CANARY]: CANARY } }),
  'a field that an input does not have': query('query ($x: EventOrder) { events(orderBy: $x) { totalCount } }', {
    x: { field: 'ID', [CANARY]: CANARY },
  }),
  'an enum value': query('query ($x: EventOrder) { events(orderBy: $x) { totalCount } }', { x: { field: CANARY } }),
  'a time in a variable': query('query ($x: DateTime) { events(startsAfter: $x) { totalCount } }', { x: CANARY }),
  'a variable that nobody knows': query('{ __typename }', { [CANARY]: CANARY }),
  'the name of the operation': { body: { query: 'query A { __typename }', operationName: CANARY } },
  'a name of the right operation': { body: { query: `query ${CANARY} { __typename }`, operationName: CANARY } },
  extensions: { body: { query: '{ __typename }', extensions: { [CANARY]: CANARY } } },
  'an Apollo hash': { body: { extensions: { persistedQuery: { sha256Hash: CANARY } } } },
  'the name of a document': { body: { documentId: CANARY } },
  'the name of a Relay document': { body: { doc_id: CANARY } },
  'an unknown parameter': { body: { query: '{ __typename }', [CANARY]: CANARY } },
  'a body that is not JSON': { body: `{"query": ${CANARY}`, headers: { 'content-type': 'application/json' } },
  'a body of a prototype': {
    body: `{"__proto__": "${CANARY}"}`,
    headers: { 'content-type': 'application/json' },
  },
  'a body of another type': { body: CANARY, headers: { 'content-type': `text/${CANARY}` } },
  'a type': { body: '{}', headers: { 'content-type': `application/json; ${CANARY}=${CANARY}` } },
  'an encoding': { body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': CANARY } },
  'the query string': { path: `/graphql?query={__typename}&${CANARY}=${CANARY}` },
  'variables in the query string': { search: { query: '{ __typename }', variables: `{"${CANARY}":"${CANARY}"}` } },
  'wrong variables in the query string': { search: { query: '{ __typename }', variables: CANARY } },
  'a mutation by GET': {
    search: { query: `mutation { deleteBrand(input: { id: "${CANARY}" }) { clientMutationId } }` },
  },
  'an Authorization that is no token': query('{ __typename }', {}, { authorization: `Bearer ${CANARY}` }),
  'an Authorization of another kind': query('{ __typename }', {}, { authorization: `Basic ${btoa(CANARY)}` }),
  'a token with a wrong signature': query('{ __typename }', {}, { authorization: `Bearer ${token}${CANARY}` }),
  'a token of another key': query(
    '{ __typename }',
    {},
    {
      authorization: `Bearer ${createSigner({ key: `${CANARY}${CANARY}` })({ sub: CANARY, scope: CANARY })}`,
    },
  ),
  'the subject of a token': query(
    '{ brands { totalCount } }',
    {},
    {
      authorization: `Bearer ${createSigner({ key: SECRET })({ sub: CANARY, scope: CANARY })}`,
    },
  ),
  'a cookie': query('{ __typename }', {}, { cookie: `session=${CANARY}` }),
  'a header': query('{ __typename }', {}, { 'x-api-key': CANARY, 'user-agent': CANARY, referer: `http://${CANARY}/` }),
  'headers of a proxy': query('{ __typename }', {}, { 'x-forwarded-for': CANARY, forwarded: `for=${CANARY}` }),
  'headers of a browser': query('{ __typename }', {}, { origin: `http://${CANARY}`, 'sec-fetch-site': CANARY }),
  'headers of a trace': query('{ __typename }', {}, { traceparent: CANARY, tracestate: CANARY, baggage: CANARY }),
  'a name for a request that is not well-formed': query(
    '{ __typename }',
    {},
    { 'x-request-id': `${CANARY} "${CANARY}"` },
  ),
  'headers that ask for more': query(
    '{ __typename }',
    {},
    { 'x-inspect': CANARY, 'x-cost': CANARY, 'x-cache': CANARY },
  ),
  'an Accept': query('{ __typename }', {}, { accept: `text/${CANARY}` }),
  'an Accept of an error': query('{', {}, { accept: `application/json, text/${CANARY}` }),
  'a path': { path: `/${CANARY}?${CANARY}=${CANARY}` },
  'a path with a body': { path: `/${CANARY}`, body: { [CANARY]: CANARY } },
  'a path that cannot be read': { path: `/%zz${CANARY}` },
  'a path below': { path: `/graphql/${CANARY}`, method: 'DELETE' },
  'health with a query string': { path: `/healthz?${CANARY}` },
  'readiness with a query string': { path: `/readyz?${CANARY}` },
  'an unknown method': { method: 'PROPFIND', path: `/graphql?${CANARY}` },
  'a preflight': {
    method: 'OPTIONS',
    headers: {
      origin: `http://${CANARY}`,
      'access-control-request-method': 'POST',
      'access-control-request-headers': CANARY,
    },
  },
  'a mutation without a token': query(`mutation { createBrand(input: { name: "${CANARY}" }) { brand { id } } }`),
  'a mutation of too long a name': query(
    'mutation ($n: String!) { createBrand(input: { name: $n }) { brand { id } } }',
    { n: CANARY.repeat(20) },
    bearer,
  ),
  'a mutation of an id that is not there': query(
    'mutation ($i: ID!) { updateBrand(input: { id: $i, name: "x" }) { brand { id } } }',
    { i: CANARY },
    bearer,
  ),
  'a mutation that does not show what it wrote': query(
    'mutation ($n: String!) { createBrand(input: { name: $n }) { brand { id } } }',
    { n: CANARY },
    bearer,
  ),
  'a body that is too large': { body: { query: CANARY.repeat(60_000) } },
  'a document that is too large': { body: { query: `{ ${'a '.repeat(6000)} } # ${CANARY}` } },
};

/** Names of a client's own document that it needs to hear again: where its mistake is, and what its answers are called. */
const ECHOED: Record<string, Sent> = {
  'an alias': query(`{ ${CANARY}: __typename }`),
  'an unknown field': query(`{ ${CANARY} }`),
  'an unknown argument': query(`{ brands(${CANARY}: 1) { totalCount } }`),
  'an unknown fragment': query(`{ ...${CANARY} }`),
  'an unknown type': query(`query ($a: ${CANARY}) { __typename }`),
  'an unknown directive': query(`{ __typename @${CANARY} }`),
  'a variable that is not defined': query(`{ brand(id: $${CANARY}) { id } }`),
  'an unknown enum value': query(`{ events(orderBy: { field: ${CANARY} }) { totalCount } }`),
  'an alias on the way to an error': query(`{ ${CANARY}: brands(first: 101) { totalCount } }`),
  'an alias on the way to what is too expensive': query(
    `{ ${CANARY}: brands(first: 100) { nodes { a: campaigns(first: 100) { nodes { id } } } } }`,
  ),
  'a name that a proxy gave': query('{ __typename }', {}, { 'x-request-id': CANARY }),
  'what was written': query(
    'mutation ($n: String!) { createBrand(input: { name: $n }) { brand { name } } }',
    { n: CANARY },
    bearer,
  ),
};

/** Sends it again while the server had no time for it: it has little here, and a busy machine takes more now and then. */
async function sendInTime(sent: Sent): Promise<Received> {
  let answer = await send(server.url, sent);
  for (let turn = 1; answer.status === 503 && turn < 10; turn += 1) {
    if (leaks(answer.text).length > 0) return answer;
    answer = await send(server.url, sent);
  }
  return answer;
}

/** Everything that the process has told anybody but the client. */
async function told(): Promise<string> {
  return server.output() + (await (await fetch(server.metricsUrl)).text());
}

t.test('a secret is found in no response', async (t) => {
  for (const [name, sent] of Object.entries(HIDDEN)) {
    const answer = await sendInTime(sent);
    t.same(leaks(answer.text + JSON.stringify(answer.headers)), [], `${name}: ${answer.status} ${codes(answer)}`);
    t.notMatch(answer.text, /did you mean|node_modules|\.ts:\d|select |insert /i);
    t.ok(answer.status < 500, `${answer.status}`);
  }
});

t.test('a client hears the names of its own document again', async (t) => {
  for (const [name, sent] of Object.entries(ECHOED)) {
    const answer = await sendInTime(sent);
    t.not(leaks(answer.text + JSON.stringify(answer.headers)).length, 0, name);
    t.notMatch(answer.text, /did you mean/i);
  }
});

t.test('what is not HTTP is not told on', async (t) => {
  const host = `host: ${CANARY}\r\n`;
  const raw = [
    `${CANARY}\r\n\r\n`,
    `GET /graphql?${CANARY} HTTP/1.1\r\n${host}${CANARY}\r\n\r\n`,
    `GET /graphql?${CANARY} HTTP/9.9\r\n${host}\r\n`,
    `GET /${CANARY} HTTP/1.1\r\n${host}x-${CANARY}: ${CANARY.repeat(1000)}\r\n\r\n`,
    `POST /graphql HTTP/1.1\r\n${host}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n${CANARY}`,
    `POST /graphql HTTP/1.1\r\n${host}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${CANARY}\r\n`,
    // Too slow: what is missing never comes.
    `POST /graphql HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"${CANARY}`,
    `GET /graphql?${CANARY} HTTP/1.1\r\n${host}authorization: Bearer ${CANARY}\r\n`,
  ];
  for (const bytes of raw) {
    const connection = await openRaw(t, server.url, bytes);
    await connection.closed;
    t.match(connection.text(), /^HTTP\/1\.1 4\d\d /, bytes.slice(0, 40).replace(CANARY, '…'));
    t.same(leaks(connection.text()), []);
  }
  // Gone in the middle of a request.
  const gone = await openRaw(t, server.url, `POST /graphql HTTP/1.1\r\n${host}content-length: 100\r\n\r\n${CANARY}`);
  gone.socket.destroy();
  await gone.closed;
});

t.test('a request that takes too long is not told on', async (t) => {
  await sql.begin(async (transaction) => {
    await transaction`lock table brands in access exclusive mode`;
    const text = 'query ($i: ID!) { brands { totalCount } brand(id: $i) { name } }';
    const search = { query: text, variables: JSON.stringify({ i: CANARY }), [CANARY]: CANARY };
    for (const sent of [{ search }, { method: 'HEAD', search }, query(text, { i: CANARY })]) {
      const answer = await send(server.url, sent);
      t.equal(answer.status, 503);
      t.match(answer.headers, { 'retry-after': '1', 'cache-control': 'no-store' });
      if (sent.method !== 'HEAD') t.same(codes(answer), ['UNAVAILABLE']);
      t.same(leaks(answer.text), []);
    }
  });
  const answers = async () => (await send(server.url, query('{ brands { totalCount } }'))).status === 200;
  await until('it answers again', answers);
});

t.test('what fails on our side is told as an id that the log has, too', async (t) => {
  // What Postgres says has the values in it.
  await sql.unsafe(`
    create function refuse() returns trigger language plpgsql as
    'begin raise exception ''% is refused'', new.name using detail = new.name, hint = new.name; end';
    create trigger refuse before insert or update on brands for each row execute function refuse()`);
  const texts: [string, object, Record<string, string>][] = [
    ['mutation ($n: String!) { createBrand(input: { name: $n }) { brand { id } } }', { n: CANARY }, bearer],
    [
      'mutation ($i: ID!, $n: String!) { updateBrand(input: { id: $i, name: $n }) { brand { id } } }',
      { i: globalId('Brand', 1), n: CANARY },
      bearer,
    ],
  ];
  for (const [text, variables, headers] of texts) {
    const answer = await sendInTime(query(text, variables, headers));
    t.same(codes(answer), ['INTERNAL_SERVER_ERROR']);
    const [error] = answer.json.errors ?? [];
    t.same(Object.keys(error?.extensions ?? {}).toSorted(), ['code', 'errorId']);
    t.same(leaks(answer.text), []);
    t.notMatch(answer.text, /P0001|refuse|brands|trigger/i, 'nothing of what Postgres said');
    const errorId = String(error?.extensions?.errorId);
    await until('the log has the id', async () => server.output().includes(errorId));
    const line =
      server
        .output()
        .split('\n')
        .find((entry) => entry.includes(errorId)) ?? '{}';
    t.match(JSON.parse(line), { level: 50, errorId, err: { message: /^Postgres answered P0001$/ } });
    t.notMatch(line, /insert into|update brands|\$1/i, 'and no SQL');
  }
});

t.test('the schema is shown to who has a token, and suggests nothing', async (t) => {
  const texts = [
    '{ __schema { queryType { name } } }',
    '{ __type(name: "Brand") { name } }',
    '{ ...F } fragment F on Query { a: __schema { types { name } } }',
  ];
  for (const text of texts) {
    t.same(codes(await sendInTime(query(text))), ['INTROSPECTION_OFF']);
    t.same(codes(await sendInTime({ search: { query: text } })), ['INTROSPECTION_OFF']);
    const shown = await sendInTime(query(text, {}, bearer));
    t.same([codes(shown), 'data' in shown.json], [[], true]);
  }
  t.same((await sendInTime(query('{ __typename }'))).json, { data: { __typename: 'Query' } }, 'a name is no schema');
  for (const text of [
    '{ campaing { id } }',
    '{ campaign(idd: "x") { id } }',
    '{ campaign { id } }',
    '{ brand(id: "x") }',
    '{ ... on Campain { id } }',
  ]) {
    for (const headers of [{}, bearer])
      t.notMatch((await sendInTime(query(text, {}, headers))).text, /did you mean/i, text);
  }
});

t.test('and none of it is in the log or the figures', async (t) => {
  const all = await told();
  t.ok(all.split('\n').length > 100, 'the log was on');
  t.match(all, /"level":20/, 'at its lowest');
  const lines = all.split('\n').filter((line) => leaks(line).length > 0);
  // The name that a proxy gave to a request is there so that it can be found in the log.
  const named = (line: string) => line.includes(`"requestId":"${CANARY}"`);
  // And an origin that is refused, so that whoever runs the server can allow it: each once.
  const refused = (line: string) => line.includes('pages of an origin may not read answers');
  t.same(
    lines.filter((line) => !named(line) && !refused(line)),
    [],
  );
  t.ok(lines.filter(refused).length <= 1);
  t.not(lines.length, 0, 'that name is there');
  t.equal(server.exitCode(), null);
});
