import { builder } from '../builder.ts';
import { brandType } from '../types/brand.ts';
import { deleteMutation, newEdgeField, writtenField } from './entity-payload.ts';
import { given, inputId, notFound, withInput } from './write.ts';

builder.relayMutationField(
  'createBrand',
  { inputFields: (t) => ({ name: t.string({ required: true, description: '1 to 200 characters.' }) }) },
  {
    description: 'Adds a brand.',
    nullable: true,
    resolve: (_root, { input: { name } }, { repositories, scope }) =>
      withInput(async () => ({ entity: await repositories.brand.create({ name }, scope) })),
  },
  { outputFields: (t) => ({ brand: writtenField(t, brandType), brandEdge: newEdgeField(t, brandType) }) },
);

builder.relayMutationField(
  'updateBrand',
  { inputFields: (t) => ({ id: t.id({ required: true }), name: t.string({ description: '1 to 200 characters.' }) }) },
  {
    description: 'Changes a brand. What is left out stays as it is.',
    nullable: true,
    resolve: (_root, { input: { id, name } }, { repositories, scope }) =>
      withInput(async () => {
        const entity = await repositories.brand.update(inputId('Brand', 'id', id), given({ name }), scope);
        if (entity === null) throw notFound('Brand', 'id');
        return { entity };
      }),
  },
  { outputFields: (t) => ({ brand: writtenField(t, brandType) }) },
);

deleteMutation(brandType, 'Deletes a brand that has no campaigns.');
