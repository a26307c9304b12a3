import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphQLError } from 'graphql';
import { pino } from 'pino';
import { type Test, t } from 'tap';
import { migrateDatabase } from '../../../src/app/migrate.ts';
import { startPostgres } from '../../../src/cli/services/postgres.ts';
import { publicErrors } from '../../../src/http/errors/errors.ts';
import { DatabaseUnavailable } from '../../../src/postgres/errors.ts';
import { globalId, makeData } from '../../support/data.ts';
import { portForLater } from '../../support/port.ts';
import { type Answer, openServer, openSql, startServer } from '../../support/server.ts';
import { freshRedis } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const stack = await startServer(t);
await makeData(stack.sql, { brands: 2, campaigns: 12, events: 50, perCampaign: 10 });

/** What never leaves the server. */
const SECRETS =
  /select |insert |from "|\$1|campaign_events|starts_at|postgres|ioredis|drizzle|node_modules|\.[jt]s:\d|stack/i;

const code = (answer: Answer<unknown>, i = 0) => answer.errors?.[i]?.extensions?.code;

t.test('a request that cannot be executed', async (t) => {
  const first = 'query ($first: Int!) { campaigns(first: $first) { totalCount } }';
  const cases: Record<string, { document: string; variables?: object; code: RegExp; says: RegExp }> = {
    'a syntax error': { document: '{ campaigns { ', code: /PARSE/, says: /^Syntax Error/ },
    'an empty document': { document: '#', code: /PARSE/, says: /^Syntax Error/ },
    'an unknown field': { document: '{ campaignz { id } }', code: /VALIDATION/, says: /campaignz/ },
    'an unknown argument': { document: '{ campaigns(limit: 5) { totalCount } }', code: /VALIDATION/, says: /limit/ },
    'a missing selection': { document: '{ campaigns }', code: /VALIDATION/, says: /selection/ },
    'a literal of the wrong type': {
      document: '{ campaigns(first: "5") { totalCount } }',
      code: /VALIDATION/,
      says: /Int/,
    },
    'a variable of the wrong type': { document: first, variables: { first: '5' }, code: /./, says: /\$first/ },
    'a variable beyond 32 bits': { document: first, variables: { first: 2 ** 31 }, code: /./, says: /\$first/ },
    'a missing variable': { document: first, variables: {}, code: /./, says: /\$first/ },
    'no variables at all': { document: first, code: /./, says: /\$first/ },
    'a null for a variable': { document: first, variables: { first: null }, code: /./, says: /\$first/ },
    'two operations and no name': {
      document: 'query A { __typename } query B { __typename }',
      code: /./,
      says: /operation/,
    },
    'no operation': { document: 'fragment F on Query { __typename }', code: /./, says: /./ },
  };
  for (const [name, { document, variables, code: expected, says }] of Object.entries(cases)) {
    const answer = await stack.query(document, variables);
    // GraphQL over HTTP, section 6.4.1: with application/json the status of a well-formed request is 200; servers of before
    // answer 400.
    t.ok([200, 400].includes(answer.status), `${name}: status ${answer.status}`);
    t.match(code(answer), expected, 'a code');
    t.match(answer.errors?.[0]?.message, says, 'says what is wrong');
    t.notOk('data' in answer, 'no data, not even null: nothing was executed');
    t.notMatch(answer.text, SECRETS);
    const strict = await stack.query(document, variables, { accept: 'application/graphql-response+json' });
    t.equal(strict.status, 400, 'and 400 for who can tell the two apart');
  }
  t.match((await stack.query('{ campaigns { nope } }')).errors, [{ locations: [{ line: 1, column: 15 }] }]);
});

t.test('what is not a GraphQL request', async (t) => {
  const bodies: Record<string, string> = {
    nothing: '',
    'half of it': '{"query":"{__typename}"',
    null: 'null',
    'a number': '1',
    'a string': '"{__typename}"',
    'a list': '[]',
    'a batch': '[{"query":"{__typename}"}]',
    'no query': '{}',
    'a null query': '{"query":null}',
    'an empty query': '{"query":""}',
    'a number for a query': '{"query":1}',
    'an object for a query': '{"query":{"kind":"Document","definitions":[]}}',
    'a syntax tree': JSON.stringify({ query: '{"kind":"Document","definitions":[]}' }),
    'an empty object in text': JSON.stringify({ query: '{}' }),
    'null in text': JSON.stringify({ query: 'null' }),
    'a list in text': JSON.stringify({ query: '[]' }),
    'variables in text': '{"query":"{__typename}","variables":"{}"}',
    'a list of variables': '{"query":"{__typename}","variables":[1]}',
    'an operation name that is none': '{"query":"{__typename}","operationName":1}',
    'the name of another operation': '{"query":"{__typename}","operationName":"Other"}',
    'a prototype': '{"__proto__":{"query":"{__typename}"}}',
    'an operation named like a property': '{"query":"query A {__typename}","operationName":"__proto__"}',
  };
  const check = async (t: Test, name: string, response: Response) => {
    const text = await response.text();
    t.ok(
      response.status === 200 || (response.status >= 400 && response.status < 500),
      `${name}: status ${response.status}`,
    );
    const answer = JSON.parse(text) as Answer<unknown>;
    t.equal(typeof code(answer), 'string', `${name}: a code`);
    t.not(code(answer), 'INTERNAL_SERVER_ERROR');
    t.notOk('data' in answer && answer.data !== null, 'nothing was executed');
    t.notMatch(text, SECRETS);
  };
  for (const [name, body] of Object.entries(bodies)) {
    const headers = { 'content-type': 'application/json' };
    await check(t, name, await fetch(`${stack.url}/graphql`, { method: 'POST', headers, body }));
  }
  const queries = ['', '?query=', '?query={', '?query={__typename}&variables={', '?query={__typename}&variables=1'];
  for (const query of [
    ...queries,
    '?query={__typename}&operationName=Other',
    '?query={__typename}&query={__typename}',
  ]) {
    await check(t, `GET ${query}`, await fetch(`${stack.url}/graphql${query}`));
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const response = await fetch(`${stack.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: '{"query":"{__typename}"}',
    });
    await check(t, type, response);
  }
  t.same(await stack.ask('{ __typename }'), { __typename: 'Query' }, 'and the server is well');
});

t.test('a field that is asked for wrongly', async (t) => {
  const campaign = globalId('Campaign', 1);
  const answer = await stack.query<Record<string, unknown>>(`{
    good: campaigns(first: 1) { nodes { title } }
    more: campaigns(first: 101) { totalCount }
    less: campaigns(last: -1) { totalCount }
    both: campaigns(first: 1, last: 1) { totalCount }
    nested: campaigns(first: 2) { nodes { title events(first: 101) { totalCount } } }
    other: events(campaign: "nonsense", first: 101) { totalCount }
    none: events(campaign: "${campaign}", first: 0) { nodes { id } }
  }`);
  t.equal(answer.status, 200);
  t.match(answer.data, {
    good: { nodes: [{ title: 'Campaign 1' }] },
    more: null,
    less: null,
    both: null,
    nested: {
      nodes: [
        { title: 'Campaign 1', events: null },
        { title: 'Campaign 2', events: null },
      ],
    },
    other: null,
    none: { nodes: [] },
  });
  const errors = (answer.errors ?? []).map(({ path, extensions }) => [path, extensions?.code, extensions?.argument]);
  const expected = [
    [['more'], 'BAD_USER_INPUT', 'first'],
    [['less'], 'BAD_USER_INPUT', 'last'],
    [['both'], 'BAD_USER_INPUT', 'last'],
    [['nested', 'nodes', 0, 'events'], 'BAD_USER_INPUT', 'first'],
    [['nested', 'nodes', 1, 'events'], 'BAD_USER_INPUT', 'first'],
    [['other'], 'BAD_USER_INPUT', 'first'],
  ];
  const byPath = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
  t.strictSame(errors.toSorted(byPath), expected.toSorted(byPath), 'each in its place, whose numbers are numbers');
  t.ok(answer.errors?.every(({ locations }) => locations?.length === 1));
});

t.test('a fault of ours', async (t) => {
  const broken = await startServer(t);
  await makeData(broken.sql, { brands: 2, campaigns: 12, events: 50, perCampaign: 10 });
  const document = `{
    brands(first: 1) { nodes { name } }
    campaigns(first: 2) { nodes { title events(first: 1) { nodes { title } } } }
    node(id: "${globalId('Brand', 1)}") { id }
  }`;
  await broken.ask(document);
  await broken.sql`alter table campaign_events drop column starts_at cascade`;
  const answer = await broken.query(document);
  t.equal(answer.status, 200, 'the others are answered');
  t.match(answer.data, {
    brands: { nodes: [{ name: 'Brand 1' }] },
    campaigns: {
      nodes: [
        { title: 'Campaign 1', events: null },
        { title: 'Campaign 2', events: null },
      ],
    },
    node: { id: globalId('Brand', 1) },
  });
  t.strictSame(
    answer.errors?.map((error) => error.path),
    [
      ['campaigns', 'nodes', 0, 'events'],
      ['campaigns', 'nodes', 1, 'events'],
    ],
  );
  const ids = (answer.errors ?? []).map(({ extensions }) => extensions?.errorId);
  for (const error of answer.errors ?? []) {
    t.same(Object.keys(error).toSorted(), ['extensions', 'locations', 'message', 'path'], 'nothing but this');
    t.same(Object.keys(error.extensions ?? {}).toSorted(), ['code', 'errorId']);
    t.equal(error.extensions?.code, 'INTERNAL_SERVER_ERROR');
    t.match(error.extensions?.errorId, /^[0-9a-f-]{36}$/);
  }
  t.equal(new Set(ids).size, 1, 'one failure has one id');
  t.notMatch(answer.text, SECRETS, 'neither SQL nor a stack');
  t.notMatch(answer.text, /does not exist|relation|42703/i, 'nor what Postgres said');
  const again = await broken.query(document);
  t.notSame(again.errors?.[0]?.extensions?.errorId, ids[0], 'the next failure has another id');

  await broken.sql`alter table brands rename column name to title`;
  await broken.database.drained();
  const all = await broken.query(
    '{ a: brands(first: 2) { nodes { id } } b: brands(first: 2, after: null) { totalCount } }',
  );
  t.equal(all.errors, undefined, 'what does not touch the fault goes on');
  const bodies = await broken.query(`{ campaign(id: "${globalId('Campaign', 11)}") { title brand { name } } }`);
  t.match(bodies.data, { campaign: { title: 'Campaign 11' } });
  await broken.sql`drop table brands cascade`;
  const lost = await broken.query('{ brands(first: 1) { totalCount } }');
  t.match(lost, {
    data: { brands: null },
    errors: [{ path: ['brands'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  });
  t.notMatch(lost.text, SECRETS);
});

t.test('a page that Postgres did not answer is said once in the log, at however many fields it is missed', (t) => {
  const said: unknown[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => said.push(JSON.parse(line)) });
  const missed = (cause: Error) =>
    Object.assign(new Error('all of them'), {
      errors: [0, 1, 2].map((i) => new GraphQLError(cause.message, { path: ['campaigns', i], originalError: cause })),
    });
  for (const reason of ['the first', 'the second']) {
    const found = publicErrors(missed(new DatabaseUnavailable(reason)), log);
    t.match(
      found,
      Array.from({ length: 3 }, (_, i) => ({ status: 503, error: { path: ['campaigns', i] } })),
    );
  }
  const shared = missed(new DatabaseUnavailable('shared'));
  for (const requestId of ['a', 'b']) publicErrors(shared, log.child({ requestId }));
  t.match(said, [{ reason: 'the first' }, { reason: 'the second' }, { requestId: 'a' }, { requestId: 'b' }]);
  t.equal(said.length, 4, 'and once for each request that shared it');
  t.end();
});

t.test('Postgres is down', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'larder-down-'));
  chmodSync(dataDir, 0o755);
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const start = (port: number) => startPostgres({ dataDir, persistent: true, settings: { fsync: 'off' }, port });
  let postgres = await start(await portForLater());
  t.teardown(() => postgres.stop());
  await postgres.createDatabase('larder');
  const database = { url: postgres.url('larder') };
  await migrateDatabase(database.url);
  const sql = openSql(t, database);
  await makeData(sql, { brands: 2, campaigns: 12, events: 50, perCampaign: 10 });
  await sql.end();
  const server = await openServer(t, { database, redis: await freshRedis(t) });
  const document = '{ campaigns(first: 2) { nodes { title } } nothing: nodes(ids: []) { id } }';
  const answered = await server.ask(document);

  await postgres.stop();
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    const answer = await server.query(document, undefined, { accept });
    t.equal(answer.status, 503, accept);
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/, 'says when to come back');
    t.same(answer.data, { campaigns: null, nothing: [] });
    t.equal(code(answer), 'UNAVAILABLE');
    t.strictSame(answer.errors?.[0]?.path, ['campaigns']);
    t.same(Object.keys(answer.errors?.[0]?.extensions ?? {}), ['code']);
    t.notMatch(answer.text, SECRETS);
    t.notMatch(answer.text, /ECONN|127\.0\.0\.1|connect/i, 'not where Postgres was');
  }
  const ready = await fetch(`${server.url}/readyz`);
  t.equal(ready.status, 503, 'no more requests, please');
  t.equal((await fetch(`${server.url}/healthz`)).status, 200, 'but the process is alive');

  postgres = await start(postgres.port);
  await until('the server finds Postgres again', async () => (await server.query(document)).status === 200);
  t.same(await server.ask(document), answered, 'then all is as before');
});
