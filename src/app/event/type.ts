import { databaseId, globalIdOf } from '../../pothos/index.ts';
import type { Builder } from '../builder.ts';
import { type EventListArguments, eventListSource } from './list-arguments.ts';

/**
 * Adds events to the schema.
 *
 * @param builder the schema's builder
 * @param eventListArguments the arguments of every list of events
 * @returns the type
 */
export function addEventType(builder: Builder, eventListArguments: EventListArguments) {
  builder.queryFields((t) => ({
    event: t.entityById('Event', { description: 'The event with a global id; `null` when there is none.' }),
    events: t.entityConnection('Event', {
      description: 'All events, by id unless ordered otherwise, or those of one campaign, the earliest first.',
      args: {
        ...eventListArguments,
        campaign: t.arg.id({
          description: 'Only events of the campaign with this global id; none if there is none.',
          extensions: globalIdOf('Campaign'),
        }),
      },
      source: (_root, args, context) => {
        if (args.campaign == null) return eventListSource(args, 'all', undefined, 'ID');
        return eventListSource(args, 'ofCampaign', databaseId('Campaign', args.campaign, context), 'STARTS_AT');
      },
    }),
  }));
  return builder.entity('Event', {
    description: 'Something that takes place at a time, in any number of campaigns.',
    fields: (t) => ({
      title: t.exposeString('title', { nullable: false }),
      body: t.exposeString('body', { nullable: false }),
      startsAt: t.expose('startsAt', { type: 'DateTime', nullable: false }),
      campaigns: t.entityConnection('Campaign', {
        description: 'The campaigns that it belongs to, by id.',
        list: 'ofEvent',
      }),
    }),
  });
}
