import { builder } from '../builder.ts';
import { eventType } from '../types/event.ts';
import { deleteMutation, newEdgeField, writtenField } from './entity-payload.ts';
import { given, inputId, notFound, withInput } from './write.ts';

const title = { description: '1 to 200 characters.' };
const body = { description: 'At most 20,000 characters.' };

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
    resolve: (_root, { input }, { repositories, scope }) =>
      withInput(async () => {
        const values = { title: input.title, body: input.body ?? '', startsAt: input.startsAt };
        return { entity: await repositories.event.create(values, scope) };
      }),
  },
  { outputFields: (t) => ({ event: writtenField(t, eventType), eventEdge: newEdgeField(t, eventType) }) },
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
    resolve: (_root, { input: { id, title, body, startsAt } }, { repositories, scope }) =>
      withInput(async () => {
        const changes = given({ title, body, startsAt });
        const entity = await repositories.event.update(inputId('Event', 'id', id), changes, scope);
        if (entity === null) throw notFound('Event', 'id');
        return { entity };
      }),
  },
  { outputFields: (t) => ({ event: writtenField(t, eventType) }) },
);

deleteMutation(eventType, 'Deletes an event, from every campaign that it belongs to.');
