// The algorithm that Larder descends from. Types call repositories. A list is read as ids for each parent (N+1), and is never cached. The
// entities of each list come by one MGET, single ones by GET. It runs in fastify and mercurius with compiled queries (`jit`), which make it
// faster.
import { fastify } from 'fastify';
import mercurius from 'mercurius';
import { type Listed, type PageArguments, pageOf, schema } from './support/campaigns-schema.ts';
import { connectPostgres } from './support/connect.ts';
import { openEntities } from './support/entities.ts';
import { decodeId, encodeId } from './support/global-id.ts';
import type { BrandRow, CampaignRow, EventRow } from './support/rows.ts';
import { settings } from './support/settings.ts';

const sql = connectPostgres(settings.databaseUrl);
const { brand, campaign, event } = openEntities(sql, settings.redisUrl);

/** A page of a list whose statement fetched one id more than wanted. */
async function page<Row>(
  rows: readonly Listed[],
  first: number,
  load: (ids: readonly string[]) => Promise<(Row | null)[]>,
) {
  const nodes = await load(rows.slice(0, first).map((row) => row.id));
  return pageOf(
    rows,
    first,
    nodes.filter((node) => node !== null),
  );
}

const resolvers = {
  Query: {
    campaigns: async (_root: unknown, { first, after }: PageArguments) => {
      const rows = await sql<Listed[]>`
        select id, id as key from campaigns where id > ${after ?? 0} order by id limit ${first + 1}`;
      return page<CampaignRow>(rows, first, campaign.getAll);
    },
    campaign: (_root: unknown, { id }: { id: string }) => {
      const known = decodeId('Campaign', id);
      return known === null ? null : campaign.get(known);
    },
  },
  Mutation: {
    updateEvent: async (_root: unknown, { input }: { input: { id: string; title: string } }) => {
      const id = decodeId('Event', input.id) ?? '0';
      const [row] = await sql<EventRow[]>`
        update events set title = ${input.title} where id = ${id} returning id, title, body, starts_at`;
      await event.forget(id);
      return { event: row ?? null };
    },
  },
  Brand: {
    id: (row: BrandRow) => encodeId('Brand', row.id),
    campaigns: async (row: BrandRow, { first }: PageArguments) => {
      const rows = await sql<Listed[]>`
        select id, id as key from campaigns where brand_id = ${row.id} order by id limit ${first + 1}`;
      return page<CampaignRow>(rows, first, campaign.getAll);
    },
  },
  Campaign: {
    id: (row: CampaignRow) => encodeId('Campaign', row.id),
    brand: (row: CampaignRow) => brand.get(row.brand_id),
    events: async (row: CampaignRow, { first }: PageArguments) => {
      const rows = await sql<Listed[]>`
        select event_id as id, starts_at || ',' || event_id as key from campaign_events
        where campaign_id = ${row.id} order by starts_at, event_id limit ${first + 1}`;
      return page<EventRow>(rows, first, event.getAll);
    },
  },
  Event: {
    id: (row: EventRow) => encodeId('Event', row.id),
    startsAt: (row: EventRow) => row.starts_at,
    campaigns: async (row: EventRow, { first }: PageArguments) => {
      const rows = await sql<Listed[]>`
        select campaign_id as id, campaign_id as key from campaign_events
        where event_id = ${row.id} order by campaign_id limit ${first + 1}`;
      return page<CampaignRow>(rows, first, campaign.getAll);
    },
  },
};

const app = fastify();
await app.register(mercurius, { schema, resolvers, jit: 1 });
await app.listen({ host: settings.host, port: settings.port });
