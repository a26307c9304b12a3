import type { InputShapeFromFields } from '@pothos/core';
import type { Builder } from '../builder.ts';

/** The arguments of every list of events, besides the four of every connection. */
export type EventListArguments = ReturnType<typeof addEventListArguments>;

/**
 * Adds the orders of events to the schema.
 *
 * @param builder the schema's builder
 * @returns the arguments of every list of events
 */
export function addEventListArguments(builder: Builder) {
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
  return builder.args((t) => ({
    orderBy: t.field({ type: EventOrder, description: 'How to sort.' }),
    startsAfter: t.field({ type: 'DateTime', description: 'Only events that start later than this.' }),
    startsBefore: t.field({ type: 'DateTime', description: 'Only events that start earlier than this.' }),
  }));
}

/**
 * @param args the arguments that `addEventListArguments` declares
 * @param list which list of events
 * @param parent whose events, as in `ConnectionSource`
 * @param defaultOrder the order when the arguments name none
 * @returns the list, the order and the range that the arguments ask for
 */
export function eventListSource<List extends string, Parent extends string | null | undefined>(
  args: InputShapeFromFields<EventListArguments>,
  list: List,
  parent: Parent,
  defaultOrder: 'STARTS_AT' | 'ID',
) {
  return {
    list,
    parent,
    order: args.orderBy?.field ?? defaultOrder,
    direction: args.orderBy?.direction ?? ('ASC' as const),
    filters: isFiltered(args) ? { startsAfter: args.startsAfter, startsBefore: args.startsBefore } : undefined,
  };
}

function isFiltered({ startsAfter, startsBefore }: InputShapeFromFields<EventListArguments>): boolean {
  return (startsAfter ?? startsBefore) != null;
}
