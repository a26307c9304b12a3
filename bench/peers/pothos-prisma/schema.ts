import SchemaBuilder from '@pothos/core';
import PrismaPlugin, { prismaConnectionHelpers } from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import { PrismaPg } from '@prisma/adapter-pg';
import type PrismaTypes from '../../generated/pothos/types.ts';
import { getDatamodel } from '../../generated/pothos/types.ts';
import { PrismaClient } from '../../generated/prisma/client.ts';
import { decodeId } from '../support/global-id.ts';
import { settings } from '../support/settings.ts';

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: settings.databaseUrl }) });

const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}>({
  plugins: [RelayPlugin, PrismaPlugin],
  prisma: { client: prisma, dmmf: getDatamodel() },
  relay: { edgesFieldOptions: { nullable: false }, nodeFieldOptions: { nullable: false } },
});

const idOf = ({ id }: { id: bigint }) => id.toString();
const findUnique = (id: string) => ({ id: BigInt(id) });

builder.prismaNode('Brand', {
  id: { resolve: idOf },
  findUnique,
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false }),
    campaigns: t.relatedConnection('campaigns', { cursor: 'id', query: { orderBy: { id: 'asc' } } }),
  }),
});

const Campaign = builder.prismaNode('Campaign', {
  id: { resolve: idOf },
  findUnique,
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false }),
    body: t.exposeString('body', { nullable: false }),
    brand: t.relation('brand', { nullable: false }),
  }),
});

const Event = builder.prismaNode('Event', {
  id: { resolve: idOf },
  findUnique,
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false }),
    body: t.exposeString('body', { nullable: false }),
    // Prisma reads times as Date, to the millisecond.
    startsAt: t.string({
      nullable: false,
      select: { startsAt: true },
      resolve: (event) => event.startsAt.toISOString(),
    }),
  }),
});

// Lists over the join table are what the plugin calls indirect relations: sorted by the join table, they use its index.
const eventsOfCampaign = prismaConnectionHelpers(builder, 'CampaignEvent', {
  cursor: 'campaignId_eventId',
  // Prisma takes a list, but the plugin's types allow one entry only.
  query: { orderBy: [{ startsAt: 'asc' }, { eventId: 'asc' }] as never },
  select: (nodeSelection) => ({ event: nodeSelection() }),
  resolveNode: (link) => link.event,
});

builder.prismaObjectField(Campaign, 'events', (t) =>
  t.connection({
    type: Event,
    select: (args, context, nestedSelection) => ({
      events: eventsOfCampaign.getQuery(args, context, nestedSelection),
    }),
    resolve: (campaign, args, context) => eventsOfCampaign.resolve(campaign.events, args, context),
  }),
);

const campaignsOfEvent = prismaConnectionHelpers(builder, 'CampaignEvent', {
  cursor: 'campaignId_eventId',
  query: { orderBy: { campaignId: 'asc' } },
  select: (nodeSelection) => ({ campaign: nodeSelection() }),
  resolveNode: (link) => link.campaign,
});

builder.prismaObjectField(Event, 'campaigns', (t) =>
  t.connection({
    type: Campaign,
    select: (args, context, nestedSelection) => ({
      campaigns: campaignsOfEvent.getQuery(args, context, nestedSelection),
    }),
    resolve: (event, args, context) => campaignsOfEvent.resolve(event.campaigns, args, context),
  }),
);

builder.queryType({
  fields: (t) => ({
    campaigns: t.prismaConnection({
      type: 'Campaign',
      cursor: 'id',
      resolve: (query) => prisma.campaign.findMany({ ...query, orderBy: { id: 'asc' } }),
    }),
    campaign: t.prismaField({
      type: 'Campaign',
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (query, _root, { id }) =>
        prisma.campaign.findUnique({ ...query, where: { id: BigInt(decodeId('Campaign', id) ?? 0) } }),
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
        const id = BigInt(decodeId('Event', input.id) ?? 0);
        return { event: await prisma.event.update({ where: { id }, data: { title: input.title } }) };
      },
    }),
  }),
});

/** Campaigns, events and brands by Pothos with its Prisma plugin. */
export const schema = builder.toSchema();
