// A route by hand for exactly these pages, with Larder's idea but without GraphQL. It sends a statement for the campaigns' ids, one for all of
// their events' ids, and an MGET for each kind of entity. Then it makes the JSON.
import { fastify } from 'fastify';
import { connectPostgres } from './support/connect.ts';
import { openEntities } from './support/entities.ts';
import { settings } from './support/settings.ts';

const sql = connectPostgres(settings.databaseUrl);
const { brand, campaign, event } = openEntities(sql, settings.redisUrl);

interface PageQuery {
  readonly first: string;
  readonly events: string;
  readonly after?: string;
}

/** Campaigns with their first events. */
async function readPage({ first, events, after = '0' }: PageQuery) {
  const size = Number(first);
  const perCampaign = Number(events);
  const listed = await sql<{ id: string }[]>`
    select id from campaigns where id > ${after} order by id limit ${size + 1}`;
  const ids = listed.slice(0, size).map((row) => row.id);
  const [campaigns, links] = await Promise.all([
    campaign.getAll(ids),
    sql<{ campaign_id: string; event_id: string }[]>`
      select p.id as campaign_id, l.event_id from unnest(${ids}::bigint[]) p(id)
      cross join lateral (
        select event_id, starts_at from campaign_events
        where campaign_id = p.id order by starts_at, event_id limit ${perCampaign + 1}
      ) l order by p.id, l.starts_at, l.event_id`,
  ]);
  const eventIds = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const link of links) eventIds.get(link.campaign_id)?.push(link.event_id);
  const wanted = [...new Set([...eventIds.values()].flatMap((list) => list.slice(0, perCampaign)))];
  const bodies = new Map((await event.getAll(wanted)).flatMap((row) => (row === null ? [] : [[row.id, row] as const])));
  return {
    rows: campaigns.filter((row) => row !== null),
    eventsOf: (id: string) => {
      const list = eventIds.get(id) ?? [];
      const nodes = list.slice(0, perCampaign).flatMap((eventId) => bodies.get(eventId) ?? []);
      return { nodes, hasNextPage: list.length > perCampaign };
    },
    hasNextPage: listed.length > size,
  };
}

const app = fastify();

app.get<{ Querystring: PageQuery }>('/nested', async ({ query }) => {
  const { rows, eventsOf } = await readPage(query);
  return rows.map(({ id, title }) => ({
    id,
    title,
    events: eventsOf(id).nodes.map((row) => ({ id: row.id, title: row.title, startsAt: row.starts_at })),
  }));
});

app.get<{ Querystring: PageQuery }>('/wide', async ({ query }) => {
  const { rows, eventsOf, hasNextPage } = await readPage(query);
  const brands = await brand.getAll([...new Set(rows.map((row) => row.brand_id))]);
  const brandOf = new Map(brands.flatMap((row) => (row === null ? [] : [[row.id, row] as const])));
  return {
    campaigns: rows.map(({ id, title, body, brand_id }) => {
      const { nodes, hasNextPage } = eventsOf(id);
      return {
        id,
        title,
        body,
        brand: brandOf.get(brand_id),
        events: nodes.map((row) => ({ id: row.id, title: row.title, body: row.body, startsAt: row.starts_at })),
        hasNextPage,
        endCursor: nodes.at(-1)?.id,
      };
    }),
    hasNextPage,
    endCursor: rows.at(-1)?.id,
  };
});

app.get<{ Params: { id: string } }>('/campaign/:id', async ({ params }) => {
  const row = await campaign.get(params.id);
  if (row === null) return null;
  const { id, title, body } = row;
  return { id, title, body, brand: await brand.get(row.brand_id) };
});

app.post<{ Params: { id: string }; Body: { title: string } }>('/event/:id', async ({ params, body }) => {
  const [row] = await sql<{ id: string; title: string }[]>`
    update events set title = ${body.title} where id = ${params.id} returning id, title`;
  await event.forget(params.id);
  return row ?? null;
});

await app.listen({ host: settings.host, port: settings.port });
