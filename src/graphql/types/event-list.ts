import type { InputShapeFromFields } from '@pothos/core';
import { builder, type SchemaTypes } from '../builder.ts';
import type { ConnectionSource } from '../connection.ts';

const EventOrderField = builder.enumType('EventOrderField', {
  description: 'What events can be sorted by. Ties are broken by id.',
  values: {
    STARTS_AT: { description: 'When they start.' },
    ID: { description: 'Their id.' },
  } as const,
});

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which end of an order comes first.',
  values: { ASC: { description: 'The smallest first.' }, DESC: { description: 'The greatest first.' } } as const,
});

const EventOrder = builder.inputType('EventOrder', {
  description: 'How events are sorted.',
  fields: (t) => ({
    field: t.field({ type: EventOrderField, required: true }),
    direction: t.field({ type: OrderDirection, required: true, defaultValue: 'ASC' }),
  }),
});

/**
 * @param t a field builder
 * @returns the arguments of every list of events, besides the four of every connection
 */
export function eventListArgs(t: Pick<PothosSchemaTypes.RootFieldBuilder<SchemaTypes, unknown>, 'arg'>) {
  return {
    orderBy: t.arg({ type: EventOrder, description: 'How to sort.' }),
    startsAfter: t.arg({ type: 'DateTime', description: 'Only events that start later than this.' }),
    startsBefore: t.arg({ type: 'DateTime', description: 'Only events that start earlier than this.' }),
  };
}

/**
 * @param args the arguments that `eventListArgs` declares
 * @param list which list of events
 * @param parent whose events, as in `ConnectionSource`
 * @param defaultOrder what to sort by when they do not say
 * @returns the list, the order and the range that they ask for
 */
export function eventListSource<List extends string>(
  args: InputShapeFromFields<ReturnType<typeof eventListArgs>>,
  list: List,
  parent: string | null | undefined,
  defaultOrder: 'STARTS_AT' | 'ID',
): ConnectionSource<List> {
  return {
    list,
    parent,
    order: args.orderBy?.field ?? defaultOrder,
    direction: args.orderBy?.direction ?? 'ASC',
    from: args.startsAfter ?? undefined,
    to: args.startsBefore ?? undefined,
  };
}
