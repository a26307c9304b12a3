import SchemaBuilder from '@pothos/core';
import DrizzlePlugin, { drizzleConnectionHelpers } from '@pothos/plugin-drizzle';
import RelayPlugin from '@pothos/plugin-relay';
import { eq } from 'drizzle-orm';
import { decodeId } from '../support/global-id.ts';
import { db, events, getTableConfig, relations } from './tables.ts';

const builder = new SchemaBuilder<{
  DrizzleRelations: typeof relations;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}>({
  plugins: [RelayPlugin, DrizzlePlugin],
  drizzle: { client: db, getTableConfig, relations },
  relay: { nodesOnConnection: true, edgesFieldOptions: { nullable: false }, nodeFieldOptions: { nullable: false } },
});

const Brand = builder.drizzleNode('brands', {
  name: 'Brand',
  id: { column: (brand) => brand.id },
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false }),
    campaigns: t.relatedConnection('campaigns', { query: { orderBy: { id: 'asc' } } }),
  }),
});

const Campaign = builder.drizzleNode('campaigns', {
  name: 'Campaign',
  id: { column: (campaign) => campaign.id },
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false }),
    body: t.exposeString('body', { nullable: false }),
    brand: t.relation('brand', { type: Brand }),
  }),
});

const Event = builder.drizzleNode('events', {
  name: 'Event',
  id: { column: (event) => event.id },
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false }),
    body: t.exposeString('body', { nullable: false }),
    startsAt: t.exposeString('startsAt', { nullable: false }),
  }),
});

// Lists over the join table are what the plugin calls indirect relations: sorted by the join table, they use its index.
const eventsOfCampaign = drizzleConnectionHelpers(builder, 'campaignEvents', {
  query: { orderBy: { startsAt: 'asc', eventId: 'asc' } },
  select: (nodeSelection) => ({ with: { event: nodeSelection() } }),
  resolveNode: (link) => link.event,
});

builder.drizzleObjectField(Campaign, 'events', (t) =>
  t.connection({
    type: Event,
    select: (args, context, nestedSelection) => ({
      with: { links: eventsOfCampaign.getQuery(args, context, nestedSelection) },
    }),
    resolve: (campaign, args, context) => eventsOfCampaign.resolve(campaign.links, args, context),
  }),
);

const campaignsOfEvent = drizzleConnectionHelpers(builder, 'campaignEvents', {
  query: { orderBy: { campaignId: 'asc' } },
  select: (nodeSelection) => ({ with: { campaign: nodeSelection() } }),
  resolveNode: (link) => link.campaign,
});

builder.drizzleObjectField(Event, 'campaigns', (t) =>
  t.connection({
    type: Campaign,
    select: (args, context, nestedSelection) => ({
      with: { links: campaignsOfEvent.getQuery(args, context, nestedSelection) },
    }),
    resolve: (event, args, context) => campaignsOfEvent.resolve(event.links, args, context),
  }),
);

builder.queryType({
  fields: (t) => ({
    campaigns: t.drizzleConnection({
      type: 'campaigns',
      resolve: (query) => db.query.campaigns.findMany(query({ orderBy: { id: 'asc' } })),
    }),
    campaign: t.drizzleField({
      type: 'campaigns',
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (query, _root, { id }) =>
        db.query.campaigns.findFirst(query({ where: { id: Number(decodeId('Campaign', id) ?? 0) } })),
    }),
  }),
});

const UpdateEventInput = builder.inputType('UpdateEventInput', {
  fields: (t) => ({ id: t.id({ required: true }), title: t.string({ required: true }) }),
});

const UpdateEventPayload = builder
  .objectRef<{ event: typeof Event.$inferType }>('UpdateEventPayload')
  .implement({ fields: (t) => ({ event: t.expose('event', { type: Event, nullable: false }) }) });

builder.mutationType({
  fields: (t) => ({
    updateEvent: t.field({
      type: UpdateEventPayload,
      args: { input: t.arg({ type: UpdateEventInput, required: true }) },
      resolve: async (_root, { input }) => {
        const id = Number(decodeId('Event', input.id) ?? 0);
        const [event] = await db.update(events).set({ title: input.title }).where(eq(events.id, id)).returning();
        if (event === undefined) throw new Error(`There is no event ${id}.`);
        return { event };
      },
    }),
  }),
});

/** Campaigns, events and brands by Pothos with its Drizzle plugin. */
export const schema = builder.toSchema();
