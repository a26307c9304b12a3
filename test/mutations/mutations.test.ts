import { type Test, t } from 'tap';
import { startServer, type TestStack } from '../support/server.ts';
import type { TestRedis } from '../support/services.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';

const id = (type: string, n: number | string) => Buffer.from(`${type}:${n}`).toString('base64');

interface Payload {
  readonly [field: string]: Payload & string & readonly Payload[];
}

/** A server that takes tokens, and what a mutation answers on it. */
async function writable(test: Test) {
  const server = await startServer(test, { env: { JWT_SECRET } });
  const mutate = (document: string, variables?: object) =>
    server.query<Payload>(`mutation ${document}`, variables, bearer());
  return { ...server, mutate };
}

/** Everything that a failed mutation must leave as it is. */
async function contents({ sql }: TestStack<TestRedis>) {
  const tables = ['brands', 'campaigns', 'events', 'campaign_events'];
  return Promise.all(tables.map((table) => sql`select xmin::text, t.* from ${sql(table)} t order by t::text`));
}

t.test('each mutation writes, and answers with the changed node and the new edge', async (t) => {
  const { mutate, ask } = await writable(t);
  const brand = await mutate(
    `{ createBrand(input: { name: "Acme", clientMutationId: "a" }) {
        clientMutationId brand { id name campaigns { totalCount } } brandEdge { cursor node { id } } } }`,
  );
  t.same(brand.errors, undefined);
  const created = brand.data?.createBrand;
  t.match(created, {
    clientMutationId: 'a',
    brand: { id: id('Brand', 1), name: 'Acme', campaigns: { totalCount: 0 } },
  });
  t.equal(created?.brandEdge?.node?.id, id('Brand', 1));
  const after = `{ brands(first: 5, after: "${created?.brandEdge?.cursor}") { nodes { id } } }`;
  t.same(await ask(after), { brands: { nodes: [] } }, 'the edge is the last of its list');

  t.match((await mutate(`{ updateBrand(input: { id: "${id('Brand', 1)}", name: "Ajax" }) { brand { name } } }`)).data, {
    updateBrand: { brand: { name: 'Ajax' } },
  });
  const campaign = await mutate(
    `{ createCampaign(input: { brandId: "${id('Brand', 1)}", title: "Spring" }) {
        campaign { id title body brand { name } } campaignEdge { node { id } } } }`,
  );
  t.match(campaign.data?.createCampaign, {
    campaign: { id: id('Campaign', 1), title: 'Spring', body: '', brand: { name: 'Ajax' } },
    campaignEdge: { node: { id: id('Campaign', 1) } },
  });
  const event = await mutate(
    `{ a: createEvent(input: { title: "First", startsAt: "2026-01-02T03:04:05.000006+01:00" }) { event { id startsAt } eventEdge { cursor } }
       b: createEvent(input: { title: "Second", body: "…", startsAt: "2026-01-02T03:04:06Z" }) { event { id body } } }`,
  );
  t.match(event.data, {
    a: { event: { id: id('Event', 1), startsAt: '2026-01-02T02:04:05.000006Z' } },
    b: { event: { id: id('Event', 2), body: '…' } },
  });

  const link = (n: number) => `{ campaignId: "${id('Campaign', 1)}", eventId: "${id('Event', n)}" }`;
  const added = await mutate(
    `{ b: addEventToCampaign(input: ${link(2)}) { event { title } }
       a: addEventToCampaign(input: ${link(1)}) {
         event { title } eventEdge { cursor node { id } } campaign { events { totalCount nodes { title } } } } }`,
  );
  t.match(added.data?.a, {
    event: { title: 'First' },
    eventEdge: { node: { id: id('Event', 1) } },
    campaign: { events: { totalCount: 2, nodes: [{ title: 'First' }, { title: 'Second' }] } },
  });
  const cursor = added.data?.a?.eventEdge?.cursor;
  t.same(
    await ask(`{ campaign(id: "${id('Campaign', 1)}") { events(after: "${cursor}") { nodes { title } } } }`),
    { campaign: { events: { nodes: [{ title: 'Second' }] } } },
    "the edge stands in the campaign's list at its time",
  );

  const moved = `{ updateEvent(input: { id: "${id('Event', 1)}", startsAt: "2027-01-01T00:00:00Z" }) {
      event { title startsAt campaigns { nodes { events { nodes { title } } } } } } }`;
  t.match((await mutate(moved)).data?.updateEvent?.event, {
    title: 'First',
    campaigns: { nodes: [{ events: { nodes: [{ title: 'Second' }, { title: 'First' }] } }] },
  });
  t.match(
    (
      await mutate(
        `{ removeEventFromCampaign(input: ${link(2)}) { removedEventId campaign { events { totalCount } } } }`,
      )
    ).data,
    {
      removeEventFromCampaign: { removedEventId: id('Event', 2), campaign: { events: { totalCount: 1 } } },
    },
  );
  t.same((await mutate(`{ deleteEvent(input: { id: "${id('Event', 1)}" }) { deletedId } }`)).data, {
    deleteEvent: { deletedId: id('Event', 1) },
  });
  t.same((await mutate(`{ deleteCampaign(input: { id: "${id('Campaign', 1)}" }) { deletedId } }`)).data, {
    deleteCampaign: { deletedId: id('Campaign', 1) },
  });
  t.same((await mutate(`{ deleteBrand(input: { id: "${id('Brand', 1)}" }) { deletedId } }`)).data, {
    deleteBrand: { deletedId: id('Brand', 1) },
  });
  t.same(await ask(`{ node(id: "${id('Brand', 1)}") { id } brands { totalCount } events { totalCount } }`), {
    node: null,
    brands: { totalCount: 0 },
    events: { totalCount: 1 },
  });
});

t.test('mutations of one request run in order, and each sees those before it', async (t) => {
  const { mutate, sql } = await writable(t);
  await sql`insert into brands (name) values ('one')`;
  const rename = (name: string) =>
    `updateBrand(input: { id: "${id('Brand', 1)}", name: "${name}" }) { brand { name } }`;
  const answer = await mutate(`{ a: ${rename('two')} b: ${rename('three')} c: ${rename('four')} }`);
  t.same(answer.data, {
    a: { brand: { name: 'two' } },
    b: { brand: { name: 'three' } },
    c: { brand: { name: 'four' } },
  });
});

t.test('wrong input is refused by name, and nothing is written', async (t) => {
  const server = await writable(t);
  const { sql, mutate } = server;
  await sql`insert into brands (name) values ('with campaigns'), ('without')`;
  await sql`insert into campaigns (brand_id, title) values (1, 'one')`;
  await sql`insert into events (title, starts_at) values ('one', now()), ('two', now())`;
  await sql`insert into campaign_events (campaign_id, event_id, starts_at) select 1, id, starts_at from events where id = 1`;
  const before = await contents(server);
  const long = 'x'.repeat(201);
  const cases: [input: string, field: string, reason: string, variables?: object][] = [
    ['createBrand(input: { name: "" }) { brand { id } }', 'name', 'REQUIRED'],
    ['createBrand(input: { name: " \\t " }) { brand { id } }', 'name', 'REQUIRED'],
    [`createBrand(input: { name: "${long}" }) { brand { id } }`, 'name', 'TOO_LONG'],
    ['createBrand(input: { name: "a\\u0000b" }) { brand { id } }', 'name', 'MALFORMED'],
    [`updateBrand(input: { id: "${id('Brand', 1)}", name: "" }) { brand { id } }`, 'name', 'REQUIRED'],
    [`updateBrand(input: { id: "${id('Brand', 1)}" }) { brand { id } }`, 'id', 'REQUIRED'],
    [`updateBrand(input: { id: "${id('Brand', 1)}", name: null }) { brand { id } }`, 'id', 'REQUIRED'],
    [`updateBrand(input: { id: "${id('Brand', 99)}", name: "x" }) { brand { id } }`, 'id', 'NOT_FOUND'],
    [`updateBrand(input: { id: "${id('Event', 1)}", name: "x" }) { brand { id } }`, 'id', 'NOT_FOUND'],
    [`updateBrand(input: { id: "${id('Brand', '1e3')}", name: "x" }) { brand { id } }`, 'id', 'NOT_FOUND'],
    [`deleteBrand(input: { id: "${id('Brand', 1)}" }) { deletedId }`, 'id', 'IN_USE'],
    [`deleteBrand(input: { id: "${id('Brand', 99)}" }) { deletedId }`, 'id', 'NOT_FOUND'],
    [
      `createCampaign(input: { brandId: "${id('Brand', 99)}", title: "x" }) { campaign { id } }`,
      'brandId',
      'NOT_FOUND',
    ],
    [`createCampaign(input: { brandId: "nonsense", title: "x" }) { campaign { id } }`, 'brandId', 'NOT_FOUND'],
    [
      `updateCampaign(input: { id: "${id('Campaign', 1)}", brandId: "${id('Brand', 99)}" }) { campaign { id } }`,
      'brandId',
      'NOT_FOUND',
    ],
    [
      `updateCampaign(input: { id: "${id('Campaign', 1)}", title: "${long}" }) { campaign { id } }`,
      'title',
      'TOO_LONG',
    ],
    [
      `updateCampaign(input: { id: "${id('Campaign', 1)}", body: "${'x'.repeat(20_001)}" }) { campaign { id } }`,
      'body',
      'TOO_LONG',
    ],
    [`createEvent(input: { title: " ", startsAt: "2026-01-01T00:00:00Z" }) { event { id } }`, 'title', 'REQUIRED'],
    [
      `addEventToCampaign(input: { campaignId: "${id('Campaign', 1)}", eventId: "${id('Event', 1)}" }) { event { id } }`,
      'eventId',
      'DUPLICATE',
    ],
    [
      `addEventToCampaign(input: { campaignId: "${id('Campaign', 1)}", eventId: "${id('Event', 99)}" }) { event { id } }`,
      'eventId',
      'NOT_FOUND',
    ],
    [
      `addEventToCampaign(input: { campaignId: "${id('Campaign', 99)}", eventId: "${id('Event', 1)}" }) { event { id } }`,
      'campaignId',
      'NOT_FOUND',
    ],
    [
      `removeEventFromCampaign(input: { campaignId: "${id('Campaign', 1)}", eventId: "${id('Event', 2)}" }) { event { id } }`,
      'eventId',
      'NOT_FOUND',
    ],
  ];
  for (const [input, field, reason] of cases) {
    const { data, errors } = await mutate(`{ it: ${input} }`);
    t.same(data, { it: null }, input.slice(0, 80));
    t.match(errors, [{ path: ['it'], extensions: { code: 'BAD_USER_INPUT', field, reason } }]);
  }
  const lone = await mutate('($name: String!) { it: createBrand(input: { name: $name }) { brand { id } } }', {
    name: '\ud800',
  });
  t.match(lone.errors, [{ extensions: { code: 'BAD_USER_INPUT', field: 'name', reason: 'MALFORMED' } }]);
  for (const time of [
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '0000-01-01T00:00:00Z',
    '2026-01-01T00:00:00.1234567Z',
    'infinity',
  ]) {
    const { data, errors } = await mutate(
      `{ it: createEvent(input: { title: "x", startsAt: "${time}" }) { event { id } } }`,
    );
    t.notOk(data?.it, `${time} is no time`);
    t.ok(errors?.[0]?.extensions?.code);
  }
  t.same(await contents(server), before, 'the tables are as they were');
  t.same(
    (await mutate(`{ createBrand(input: { name: "${'😀'.repeat(200)}" }) { brand { id } } }`)).errors,
    undefined,
    'characters count, not bytes',
  );
});
