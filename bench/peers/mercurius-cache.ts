// mercurius-cache keeps in memory what a resolver answered, by its field, its parent and its arguments. It forgets an answer when its time
// is up, or when a mutation of this server names what is in it. It keeps lists, too, and does not notice what anybody else writes. It runs in
// fastify and mercurius with compiled queries (`jit`), over resolvers with a statement each, which are asked once.
import { fastify } from 'fastify';
import mercurius from 'mercurius';
import cache from 'mercurius-cache';
import { type Listed, type PageArguments, pageOf, schema } from './support/campaigns-schema.ts';
import { connectPostgres } from './support/connect.ts';
import { decodeId, encodeId } from './support/global-id.ts';
import type { BrandRow, CampaignRow, EventRow } from './support/rows.ts';
import { settings } from './support/settings.ts';

const sql = connectPostgres(settings.databaseUrl);

/** A page of whole rows. */
const page = <Row extends Listed>(rows: readonly Row[], first: number) => pageOf(rows, first, rows.slice(0, first));

type Campaigns = (CampaignRow & Listed)[];

const resolvers = {
  Query: {
    campaigns: async (_root: unknown, { first, after }: PageArguments) =>
      page(
        await sql<Campaigns>`
          select id, id as key, brand_id, title, body from campaigns where id > ${after ?? 0} order by id limit ${first + 1}`,
        first,
      ),
    campaign: async (_root: unknown, { id }: { id: string }) => {
      const [row] = await sql<CampaignRow[]>`
        select id, brand_id, title, body from campaigns where id = ${decodeId('Campaign', id) ?? 0}`;
      return row ?? null;
    },
  },
  Mutation: {
    updateEvent: async (_root: unknown, { input }: { input: { id: string; title: string } }) => {
      const [row] = await sql<EventRow[]>`
        update events set title = ${input.title} where id = ${decodeId('Event', input.id) ?? 0}
        returning id, title, body, starts_at`;
      return { event: row ?? null };
    },
  },
  Brand: {
    id: (row: BrandRow) => encodeId('Brand', row.id),
    campaigns: async (row: BrandRow, { first }: PageArguments) =>
      page(
        await sql<Campaigns>`
          select id, id as key, brand_id, title, body from campaigns where brand_id = ${row.id} order by id limit ${first + 1}`,
        first,
      ),
  },
  Campaign: {
    id: (row: CampaignRow) => encodeId('Campaign', row.id),
    brand: async (row: CampaignRow) => {
      const [brand] = await sql<BrandRow[]>`select id, name from brands where id = ${row.brand_id}`;
      return brand ?? null;
    },
    events: async (row: CampaignRow, { first }: PageArguments) =>
      page(
        await sql<(EventRow & Listed)[]>`
          select e.id, l.starts_at || ',' || l.event_id as key, e.title, e.body, e.starts_at
          from campaign_events l join events e on e.id = l.event_id
          where l.campaign_id = ${row.id} order by l.starts_at, l.event_id limit ${first + 1}`,
        first,
      ),
  },
  Event: {
    id: (row: EventRow) => encodeId('Event', row.id),
    startsAt: (row: EventRow) => row.starts_at,
    campaigns: async (row: EventRow, { first }: PageArguments) =>
      page(
        await sql<Campaigns>`
          select c.id, c.id as key, c.brand_id, c.title, c.body
          from campaign_events l join campaigns c on c.id = l.campaign_id
          where l.event_id = ${row.id} order by c.id limit ${first + 1}`,
        first,
      ),
  },
};

interface Asked {
  readonly self?: { readonly id: string; readonly brand_id?: string } | null;
  readonly arg: Partial<PageArguments> & { readonly id?: string };
}

/** The key of a field of a parent with its arguments. The package's own way to write keys is slower. */
const ofPage = {
  key: ({ self, arg }: Asked) => `${self?.id ?? ''} ${arg.first} ${arg.after ?? ''}`,
};
const eventsIn = { nodes: [] as readonly EventRow[] };

const app = fastify();
await app.register(mercurius, { schema, resolvers, jit: 1 });
await app.register(cache.default, {
  ttl: settings.ttlSeconds,
  storage: { type: 'memory', options: { size: 50_000, invalidation: true } },
  policy: {
    Query: { campaigns: ofPage, campaign: { key: ({ arg }: Asked) => arg.id ?? '' } },
    Brand: { campaigns: ofPage },
    Campaign: {
      brand: { key: ({ self }: Asked) => self?.brand_id ?? '' },
      events: {
        ...ofPage,
        references: (_request: unknown, _key: unknown, { nodes }: typeof eventsIn) =>
          nodes.map(({ id }) => `event:${id}`),
      },
    },
    Event: { campaigns: ofPage },
    Mutation: {
      updateEvent: {
        // It is asked each time.
        skip: () => true,
        invalidate: (_self: unknown, { input }: { input: { id: string } }) => [`event:${decodeId('Event', input.id)}`],
      },
    },
  },
});
await app.listen({ host: settings.host, port: settings.port });
