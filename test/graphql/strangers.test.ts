import fc from 'fast-check';
import { type Test, t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { counted, startServer } from '../support/server.ts';

interface Connection {
  edges: { cursor: string }[];
}

const server = await startServer(t);
await makeData(server.sql, { brands: 3, campaigns: 20, events: 100, perCampaign: 30 });

const base64 = (text: string) => Buffer.from(text).toString('base64');
const good = globalId('Campaign', 1);

/** Database ids that no row can have. */
const IMPOSSIBLE_IDS = [
  ...[
    '',
    '0',
    '-1',
    '+1',
    '00',
    '01',
    ' 1',
    '1 ',
    '1\n',
    '\n1',
    '1\0',
    '\0',
    '1.0',
    '1e3',
    '0x1',
    '1_000',
    '1,2',
    '{1}',
  ],
  ...['NaN', 'Infinity', 'true', 'null', '１', '١', '٠', '²', '1n', "1'", "1' or '1'='1", '1);drop table events;--'],
  ...['9223372036854775808', '-9223372036854775809', '18446744073709551617', '99999999999999999999'],
  ...['__proto__', 'constructor', '9'.repeat(10_000), '[object Object]', '%00', '\u202e1', '\ufeff1'],
];

/** Text that is no global id of any entity. */
const HOSTILE_IDS = [
  ...IMPOSSIBLE_IDS,
  ...IMPOSSIBLE_IDS.map((id) => base64(`Campaign:${id}`)),
  ...[
    'Campaign',
    'Campaign1',
    ':1',
    ':',
    '::',
    'Campaign::1',
    'Campaign:1:1',
    'Campaign:1:',
    ' Campaign:1',
    'campaign:1',
  ].map(base64),
  ...['User:1', 'User:+1', 'Query:1', 'Node:1', 'PageInfo:1', 'CampaignConnection:1', 'String:1', 'Mutation:1'].map(
    base64,
  ),
  ...[
    '__proto__:1',
    'constructor:1',
    'toString:1',
    'hasOwnProperty:1',
    '__typename:1',
    '\0Campaign:1',
    '\ufeffCampaign:1',
  ].map(base64),
  // Base64 that another reader would take.
  ...[
    good.replace(/=+$/, ''),
    `${good}=`,
    `${good}\n`,
    ` ${good}`,
    `${good}${good}`,
    good.replace('Q', 'Q\n'),
    base64(good),
  ],
  ...['Q2FtcGFpZ246MR==', 'Q2FtcGFpZ246MQ==-', 'Q2FtcGFpZ246MQ==\0', encodeURIComponent(good), 'Campaign:1', '1'],
  ...[
    '=',
    '====',
    '\0',
    '\ud800',
    '\udfff\ud800',
    '\uffff',
    '💥',
    '../../etc/passwd',
    '{{7*7}}',
    '"',
    '\\',
    '<script>',
    'null',
  ],
];

/** A cursor's parts in its own form, which no client is told. */
const partsOf = (cursor: string): unknown[] => JSON.parse(Buffer.from(cursor, 'base64').toString());
const cursorOf = (parts: unknown) => base64(JSON.stringify(parts));

/** Times that Postgres does not write so, or that no event can have. */
const IMPOSSIBLE_TIMES = [
  ...[
    '',
    ' ',
    'infinity',
    '-infinity',
    'now',
    'today',
    'epoch',
    'allballs',
    'NaN',
    '\0',
    'null',
    '0',
    '1767268800',
    '2026',
  ],
  ...['2026-13-01 00:00:00+00', '2026-00-01 00:00:00+00', '2026-02-30 00:00:00+00', '2026-02-29 00:00:00+00'],
  ...['2026-01-32 00:00:00+00', '2026-01-00 00:00:00+00', '0000-01-01 00:00:00+00', '0001-01-01 00:00:00+00 BC'],
  ...['10000-01-01 00:00:00+00', '-2026-01-01 00:00:00+00', '2026-01-01 24:00:00+00', '2026-01-01 23:59:60+00'],
  ...['2026-01-01 00:60:00+00', '2026-01-01 00:00:00', '2026-01-01 00:00:00+01', '2026-01-01 00:00:00Z', '2026-01-01'],
  ...[
    '2026-01-01T00:00:00+00',
    '2026-01-01 00:00:00.1234567+00',
    '2026-01-01 00:00:00.+00',
    '2026-01-01 00:00:00+00\0',
  ],
  ...['2026-01-01 00:00:00+00\n', ' 2026-01-01 00:00:00+00', '２026-01-01 00:00:00+00', "2026-01-01 00:00:00+00'"],
  ...['"2026-01-01 00:00:00+00"', '2026-01-01 00:00:00+00","x', '{"2026-01-01 00:00:00+00"}'],
];

/** Lists, and for each a cursor as the server gives it. */
const LISTS: Record<string, { field: string; args: string; parent?: string }> = {
  brands: { field: 'brands', args: '' },
  campaigns: { field: 'campaigns', args: '' },
  eventsById: { field: 'events', args: '' },
  eventsByTime: { field: 'events', args: 'orderBy: { field: STARTS_AT }' },
  eventsOfCampaign: { field: 'events', args: `campaign: "${good}"` },
  campaignEvents: { field: 'events', args: '', parent: `campaign(id: "${good}")` },
  campaignEventsById: {
    field: 'events',
    args: 'orderBy: { field: ID, direction: DESC }',
    parent: `campaign(id: "${good}")`,
  },
  brandCampaigns: { field: 'campaigns', args: '', parent: `brand(id: "${globalId('Brand', 1)}")` },
  eventCampaigns: { field: 'campaigns', args: '', parent: `event(id: "${globalId('Event', 10)}")` },
};

function listField(name: string, more: string, selection: string): string {
  const list = LISTS[name];
  if (list === undefined) throw new Error(`no list ${name}`);
  const args = [list.args, more].filter((text) => text !== '').join(', ');
  const field = `${list.field}(${args}) { ${selection} }`;
  return list.parent === undefined ? field : `${list.parent} { ${field} }`;
}

const open = (name: string, answer: unknown) =>
  (LISTS[name]?.parent === undefined ? answer : Object.values(answer as object)[0]) as Connection | null;

const cursors = new Map<string, string>();
for (const name of Object.keys(LISTS)) {
  const data = await server.ask<{ list: unknown }>(`{ list: ${listField(name, 'first: 2', 'edges { cursor }')} }`);
  cursors.set(name, open(name, data.list)?.edges.at(-1)?.cursor ?? '');
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Asks for nodes by ids that name nothing. */
async function refuseIds(t: Test, ids: readonly string[]): Promise<void> {
  const { answer, sql, commands } = await counted(server, () =>
    server.query<Record<string, unknown>>(
      `query ($ids: [ID!]!, $id: ID!) {
        nodes(ids: $ids) { id }
        node(id: $id) { id } brand(id: $id) { id name } campaign(id: $id) { id title } event(id: $id) { id title }
        events(campaign: $id) { nodes { id } edges { cursor } totalCount
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
      }`,
      { ids, id: ids[0] },
    ),
  );
  t.same(
    answer.data,
    {
      nodes: ids.map(() => null),
      node: null,
      brand: null,
      campaign: null,
      event: null,
      events: {
        nodes: [],
        edges: [],
        totalCount: 0,
        pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
      },
    },
    'each id names nothing, in its own place',
  );
  t.equal(answer.errors, undefined, 'and is no error');
  t.equal(sql, 0, 'and costs no statement');
  t.equal(commands, 0, 'and no command');
}

t.test('ids that name nothing', async (t) => {
  for (const ids of chunks(HOSTILE_IDS, 50)) await refuseIds(t, ids);
  // As the only id of fields that take one.
  const expected = JSON.stringify({ node: null, campaign: null, events: { totalCount: 0 } });
  const { answer, sql } = await counted(server, async () => {
    const wrong = [];
    for (const id of HOSTILE_IDS) {
      const document =
        'query ($id: ID!) { node(id: $id) { id } campaign(id: $id) { id } events(campaign: $id) { totalCount } }';
      const { data, errors } = await server.query(document, { id });
      if (JSON.stringify(data) !== expected || errors !== undefined) wrong.push({ id, data, errors });
    }
    return wrong;
  });
  t.same(answer, [], `none of ${HOSTILE_IDS.length} ids is an error`);
  t.equal(sql, 0, 'nor costs a statement');
});

t.test('beside them, the others are answered', async (t) => {
  const ids = [
    good,
    ...HOSTILE_IDS.slice(0, 40),
    globalId('Event', 3),
    ...HOSTILE_IDS.slice(40, 80),
    globalId('Brand', 2),
    good,
  ];
  const { nodes, campaign } = await server.ask<{
    nodes: ({ id: string; __typename: string } | null)[];
    campaign: object;
  }>(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } campaign(id: "${good}") { title } }`, { ids });
  t.same(campaign, { title: 'Campaign 1' });
  t.same(
    nodes.map((node) => node?.id ?? null),
    ids.map((id) => (HOSTILE_IDS.includes(id) ? null : id)),
  );
  t.same(
    nodes.filter((node) => node !== null).map((node) => node.__typename),
    ['Campaign', 'Event', 'Brand', 'Campaign'],
  );
});

t.test('ids of another type, and of rows that are not there', async (t) => {
  const [brand, campaign, event] = ['Brand', 'Campaign', 'Event'].map((type) => globalId(type, 2));
  const { answer, sql } = await counted(server, () =>
    server.query(`{
      brand(id: "${campaign}") { id } campaign(id: "${event}") { id } event(id: "${brand}") { id }
      events(campaign: "${event}") { totalCount nodes { id } }
    }`),
  );
  t.same(answer.data, { brand: null, campaign: null, event: null, events: { totalCount: 0, nodes: [] } });
  t.equal(sql, 0, 'another type costs no statement');

  const absent = ['Brand', 'Campaign', 'Event'].map((type) => globalId(type, '9223372036854775807'));
  const data = await server.ask(
    `query ($ids: [ID!]!) { nodes(ids: $ids) { id } campaign(id: "${absent[1]}") { title events { totalCount } } }`,
    { ids: [...absent, good] },
  );
  t.same(data, { nodes: [null, null, null, { id: good }], campaign: null }, 'the greatest id of all may be asked for');
});

t.test('more ids than nodes takes', async (t) => {
  const ids = Array.from({ length: 101 }, (_, i) => globalId('Event', i + 1));
  const ask = (ids: string[]) =>
    counted(server, () =>
      server.query<{ nodes: object[] | null }>('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids }),
    );
  const refused = await ask(ids);
  t.same(refused.answer.data, { nodes: null });
  t.match(refused.answer.errors, [{ path: ['nodes'], extensions: { code: 'BAD_USER_INPUT', argument: 'ids' } }]);
  t.equal(refused.sql, 0);
  t.equal((await ask(ids.slice(1))).answer.data?.nodes?.length, 100, 'a hundred are fine');
});

/** Asks a list for pages beyond cursors that it never gave. */
async function refuseCursors(t: Test, name: string, hostile: readonly string[]): Promise<void> {
  const { answer: answers, statements } = await counted(server, async () => {
    const answers = [];
    for (const cursors of chunks(hostile, 20)) {
      const variables = Object.fromEntries(cursors.map((cursor, i) => [`c${i}`, cursor]));
      const declared = cursors.map((_cursor, i) => `$c${i}: String`).join(', ');
      const fields = cursors.flatMap((_cursor, i) => [
        `a${i}: ${listField(name, `first: 2, after: $c${i}`, 'edges { cursor } totalCount')}`,
        `b${i}: ${listField(name, `last: 2, before: $c${i}`, 'edges { cursor } totalCount')}`,
      ]);
      const document = `query (${declared}) { ${fields.join('\n')} sibling: campaign(id: "${good}") { id } }`;
      answers.push(await server.query<Record<string, unknown>>(document, variables));
    }
    return answers;
  });
  t.equal(statements.filter(({ query }) => query.includes('unnest')).length, 0, 'no list statement is run');
  const errors = answers.flatMap((answer) => answer.errors ?? []);
  t.equal(errors.length, 2 * hostile.length, `each of ${hostile.length} cursors is an error each time`);
  t.same(
    errors.filter(({ extensions, path }) => {
      const argument = String(path?.[0]).startsWith('a') ? 'after' : 'before';
      return extensions?.code !== 'BAD_USER_INPUT' || extensions.argument !== argument;
    }),
    [],
    'that says BAD_USER_INPUT and which argument',
  );
  for (const { data } of answers) {
    const { sibling, ...refused } = data ?? {};
    t.same(sibling, { id: good }, 'the sibling is answered');
    t.ok(
      Object.values(refused).every((value) => open(name, value) === null),
      'and each page is null in its own place',
    );
  }
}

for (const name of Object.keys(LISTS)) {
  t.test(`cursors that ${name} never gave`, async (t) => {
    const own = cursors.get(name) ?? '';
    const [list, order, key, id] = partsOf(own);
    // Lists of the same kind and order share their places.
    const others = [...cursors.values()].filter((cursor) => {
      const parts = partsOf(cursor);
      return parts[0] !== list || parts[1] !== order;
    });
    await refuseCursors(t, name, [
      ...others,
      ...HOSTILE_IDS,
      ...[good, base64('arrayconnection:0'), base64('offset:1'), base64(String(id)), base64(JSON.stringify(id))],
      ...[
        null,
        [],
        {},
        [[]],
        '',
        0,
        true,
        { __proto__: null },
        [list],
        [list, order],
        [list, order, key],
        [list, order, key, id, 1],
      ].map(cursorOf),
      ...IMPOSSIBLE_IDS.map((id) => cursorOf([list, order, key, id])),
      ...[Number(id), null, [id], { id }, true].map((id) => cursorOf([list, order, key, id])),
      ...(key === null
        ? [0, '', 'x', id, [], {}, false, '2026-01-01 00:00:00+00']
        : [...IMPOSSIBLE_TIMES, null, 0, [], {}, [key]]
      ).map((key) => cursorOf([list, order, key, id])),
      ...[null, 0, [list], '__proto__', `${list} `].map((list) => cursorOf([list, order, key, id])),
      ...[null, 0, [order], '__proto__', 'constructor', order === 'ID' ? 'STARTS_AT' : 'ID'].map((order) =>
        cursorOf([list, order, key, id]),
      ),
      ...[own.replace(/=*$/, '!'), `${own}=`, `${own} `, ` ${own}`, `${own}\0`, own.slice(0, -5), own + own],
      base64(`{"__proto__":["${list}","${order}","${key}","${id}"]}`),
      Buffer.concat([Buffer.from(own, 'base64'), Buffer.from([0xff, 0xfe])]).toString('base64'),
    ]);
    const data = await server.ask<{ list: unknown }>(
      `query ($own: String) { list: ${listField(name, 'last: 2, before: $own', 'edges { cursor }')} }`,
      { own },
    );
    t.equal(open(name, data.list)?.edges.length, 1, 'while its own is taken');
  });
}

t.test('times that are none', async (t) => {
  const times = [
    ...IMPOSSIBLE_TIMES,
    ...['2026-01-01T00:00:00', '2026-01-01T00:00Z', '2026-01-01T00:00:00.0000001Z', '2026-02-29T00:00:00Z', 'infinity'],
    ...['2026-01-01T24:00:00Z', '2026-01-01T00:00:00+24:00', '2026-01-01T00:00:00+00:60', '0000-12-31T23:59:59Z'],
    ...['0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '+12026-01-01T00:00:00Z', '2026-01-01T00:00:00Z\0'],
  ].filter((time) => time !== '2026-01-01 00:00:00Z');
  const { answer, sql } = await counted(server, async () => {
    const answers = [];
    for (const time of [...times, 0, 1.5, true, [], {}]) {
      answers.push(await server.query('query ($t: DateTime) { events(startsAfter: $t) { totalCount } }', { t: time }));
      answers.push(
        await server.query(
          `{ events(startsBefore: ${JSON.stringify(time).replace('{}', '{ a: 1 }')}) { totalCount } }`,
        ),
      );
    }
    return answers;
  });
  t.equal(answer.filter(({ data }) => data != null).length, 0, `none of ${answer.length} requests was executed`);
  t.equal(
    answer.filter(({ errors }) => errors?.[0]?.extensions?.code === undefined).length,
    0,
    'each error has a code',
  );
  t.equal(answer.filter(({ status }) => status >= 500).length, 0, 'and is the fault of the client');
  t.equal(sql, 0);
});

t.test('whatever text comes as an id or a cursor', async (t) => {
  const list = partsOf(cursors.get('campaignEvents') ?? '');
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    // UTF-16 as it comes, lone surrogates and NUL among it.
    fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    fc.string({ unit: 'binary', maxLength: 30 }).map((id) => base64(`Campaign:${id}x`)),
    fc.bigInt({ min: 2n ** 63n }).map((id) => globalId('Campaign', id)),
    fc.bigInt({ max: 0n }).map((id) => globalId('Campaign', id)),
    fc.json().map(base64),
    fc.tuple(fc.jsonValue(), fc.jsonValue()).map(([key, id]) => cursorOf([list[0], list[1], key, id])),
    fc.jsonValue().map((key) => cursorOf([list[0], list[1], key, '1'])),
    fc.string({ unit: 'binary' }).map((id) => cursorOf([list[0], list[1], list[2], `${id}-`])),
  );
  const texts = fc.array(text, { minLength: 1, maxLength: 20 });
  const property = fc.asyncProperty(texts, async (texts) => {
    const answer = await server.query<{
      nodes: unknown[];
      campaign: unknown;
      after: unknown;
      before: unknown;
      good: unknown;
    }>(
      `query ($ids: [ID!]!, $id: ID!, $cursor: String) {
        nodes(ids: $ids) { id }
        campaign(id: $id) { id }
        after: events(campaign: "${good}", after: $cursor) { totalCount }
        before: events(last: 1, before: $cursor) { totalCount }
        none: nodes(ids: []) { id }
      }`,
      { ids: texts, id: texts[0], cursor: texts.at(-1) },
    );
    const expected = { nodes: texts.map(() => null), campaign: null, after: null, before: null, none: [] };
    if (JSON.stringify(answer.data) !== JSON.stringify(expected)) throw new Error(`got ${answer.text}`);
    if (answer.errors?.length !== 2) throw new Error(`expected two errors, got ${answer.text}`);
  });
  const { answer, sql, commands } = await counted(server, () =>
    fc.assert(property, { numRuns: 200, includeErrorInReport: true }).then(
      () => null,
      (error: Error) => error.message,
    ),
  );
  t.equal(answer, null, 'names nothing, and is no cursor');
  t.equal(sql, 0, 'and costs no statement');
  t.equal(commands, 0, 'and no command');
});
