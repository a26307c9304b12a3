import type { EntityRef } from '../../pothos/index.ts';
import type { Builder, SchemaTypes } from '../builder.ts';
import { addDeleteMutation, newEdgeField, writtenField } from '../entity-payload.ts';
import { given, inputId, notFound } from '../write.ts';

const title = { description: '1 to 200 characters.' };
const body = { description: 'At most 20,000 characters.' };

/**
 * Adds the mutations of campaigns to the schema.
 *
 * @param builder the schema's builder
 * @param campaign the type of campaigns
 */
export function addCampaignMutations(builder: Builder, campaign: EntityRef<SchemaTypes, 'Campaign'>): void {
  builder.relayMutationField(
    'createCampaign',
    {
      inputFields: (t) => ({
        brandId: t.id({ required: true, description: 'The brand that sells it.' }),
        title: t.string({ ...title, required: true }),
        body: t.string({ ...body, defaultValue: '' }),
      }),
    },
    {
      description: 'Adds a campaign without events.',
      nullable: true,
      resolve: async (_root, { input }, { repositories, scope }) => {
        const values = { title: input.title, body: input.body ?? '' };
        const brandId = inputId('Brand', 'brandId', input.brandId);
        return { entity: await repositories.Campaign.create({ ...values, brandId }, scope) };
      },
    },
    { outputFields: (t) => ({ campaign: writtenField(t, campaign), campaignEdge: newEdgeField(t, campaign) }) },
  );

  builder.relayMutationField(
    'updateCampaign',
    {
      inputFields: (t) => ({
        id: t.id({ required: true }),
        brandId: t.id({ description: 'The brand that sells it from now on.' }),
        title: t.string(title),
        body: t.string(body),
      }),
    },
    {
      description: 'Changes a campaign. What is left out stays as it is.',
      nullable: true,
      resolve: async (_root, { input }, { repositories, scope }) => {
        const brandId = input.brandId == null ? null : inputId('Brand', 'brandId', input.brandId);
        const changes = given({ brandId, title: input.title, body: input.body });
        const entity = await repositories.Campaign.update(inputId('Campaign', 'id', input.id), changes, scope);
        if (entity === null) throw notFound('Campaign', 'id');
        return { entity };
      },
    },
    { outputFields: (t) => ({ campaign: writtenField(t, campaign) }) },
  );

  addDeleteMutation(builder, campaign, 'Deletes a campaign. Its events stay.');
}
