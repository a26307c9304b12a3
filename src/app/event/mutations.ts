import type { EntityRef } from '../../pothos/index.ts';
import type { Builder, SchemaTypes } from '../builder.ts';
import { addDeleteMutation, newEdgeField, writtenField } from '../entity-payload.ts';
import { given, inputId, notFound } from '../write.ts';

const title = { description: '1 to 200 characters.' };
const body = { description: 'At most 20,000 characters.' };

/**
 * Adds the mutations of events to the schema.
 *
 * @param builder the schema's builder
 * @param event the type of events
 */
export function addEventMutations(builder: Builder, event: EntityRef<SchemaTypes, 'Event'>): void {
  builder.relayMutationField(
    'createEvent',
    {
      inputFields: (t) => ({
        title: t.string({ ...title, required: true }),
        body: t.string({ ...body, defaultValue: '' }),
        startsAt: t.field({ type: 'DateTime', required: true }),
      }),
    },
    {
      description: 'Adds an event that belongs to no campaign yet.',
      nullable: true,
      resolve: async (_root, { input }, { repositories, scope }) => {
        const values = { title: input.title, body: input.body ?? '', startsAt: input.startsAt };
        return { entity: await repositories.Event.create(values, scope) };
      },
    },
    { outputFields: (t) => ({ event: writtenField(t, event), eventEdge: newEdgeField(t, event) }) },
  );

  builder.relayMutationField(
    'updateEvent',
    {
      inputFields: (t) => ({
        id: t.id({ required: true }),
        title: t.string(title),
        body: t.string(body),
        startsAt: t.field({ type: 'DateTime' }),
      }),
    },
    {
      description: 'Changes an event, in every campaign that it belongs to. What is left out stays as it is.',
      nullable: true,
      resolve: async (_root, { input: { id, title, body, startsAt } }, { repositories, scope }) => {
        const changes = given({ title, body, startsAt });
        const entity = await repositories.Event.update(inputId('Event', 'id', id), changes, scope);
        if (entity === null) throw notFound('Event', 'id');
        return { entity };
      },
    },
    { outputFields: (t) => ({ event: writtenField(t, event) }) },
  );

  addDeleteMutation(builder, event, 'Deletes an event, from every campaign that it belongs to.');
}
