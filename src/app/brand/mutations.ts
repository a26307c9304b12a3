import type { EntityRef } from '../../pothos/index.ts';
import type { Builder, SchemaTypes } from '../builder.ts';
import { addDeleteMutation, newEdgeField, writtenField } from '../entity-payload.ts';
import { given, inputId, notFound } from '../write.ts';

/**
 * Adds the mutations of brands to the schema.
 *
 * @param builder the schema's builder
 * @param brand the type of brands
 */
export function addBrandMutations(builder: Builder, brand: EntityRef<SchemaTypes, 'Brand'>): void {
  builder.relayMutationField(
    'createBrand',
    { inputFields: (t) => ({ name: t.string({ required: true, description: '1 to 200 characters.' }) }) },
    {
      description: 'Adds a brand.',
      nullable: true,
      resolve: async (_root, { input: { name } }, { repositories, scope }) => ({
        entity: await repositories.Brand.create({ name }, scope),
      }),
    },
    { outputFields: (t) => ({ brand: writtenField(t, brand), brandEdge: newEdgeField(t, brand) }) },
  );

  builder.relayMutationField(
    'updateBrand',
    { inputFields: (t) => ({ id: t.id({ required: true }), name: t.string({ description: '1 to 200 characters.' }) }) },
    {
      description: 'Changes a brand. What is left out stays as it is.',
      nullable: true,
      resolve: async (_root, { input: { id, name } }, { repositories, scope }) => {
        const entity = await repositories.Brand.update(inputId('Brand', 'id', id), given({ name }), scope);
        if (entity === null) throw notFound('Brand', 'id');
        return { entity };
      },
    },
    { outputFields: (t) => ({ brand: writtenField(t, brand) }) },
  );

  addDeleteMutation(builder, brand, 'Deletes a brand that has no campaigns.');
}
