import type { Dialect } from '../queries.ts';
import { SIZES } from '../queries.ts';
import { graphqlDialect } from './graphql.ts';

const { nested, wide, threeLevels } = SIZES;

const pageInfo = 'pageInfo { hasNextPage endCursor }';
const event = (fields: string) => `nodes { event: eventByEventIdAndStartsAt { ${fields} } }`;
const eventsOf = (size: number, fields: string, more = '') =>
  `events: campaignEvents(first: ${size}, orderBy: [STARTS_AT_ASC, EVENT_ID_ASC]) { ${event(fields)} ${more} }`;
const page = `nodes { id title ${eventsOf(nested.events, 'id title startsAt')} }`;
const widePage = `nodes { id title body brand { id name } ${eventsOf(wide.events, 'id title body startsAt', pageInfo)} } ${pageInfo}`;
const campaignsOfEvent = `campaigns: campaignEventsByEventIdAndStartsAt(first: ${threeLevels.campaignsOfEvent}, orderBy: [CAMPAIGN_ID_ASC]) { nodes { campaign { id title brand { id name } } } }`;

/**
 * The dialect of PostGraphile's schema, which it makes from the tables: the join table is a level of its own.
 *
 * @returns the dialect
 */
export function postgraphileDialect(): Dialect {
  return graphqlDialect({
    documents: {
      nested: `query Nested { campaigns(first: ${nested.campaigns}) { ${page} } }`,
      random: `query Random($after: Cursor) { campaigns(first: ${nested.campaigns}, after: $after) { ${page} } }`,
      wide: `query Wide { campaigns(first: ${wide.campaigns}) { ${widePage} } }`,
      heavy: `query Heavy($after: Cursor) { campaigns(first: ${wide.campaigns}, after: $after) { ${widePage} } }`,
      byId: 'query ById($id: BigInt!) { campaign(rowId: $id) { id title body brand { id name } } }',
      threeLevels: `query ThreeLevels { campaigns(first: ${threeLevels.campaigns}) { nodes { id title ${eventsOf(threeLevels.events, `id title ${campaignsOfEvent}`)} } } }`,
      mutation: 'mutation Rename($input: UpdateEventInput!) { updateEvent(input: $input) { event { id title } } }',
      cursors:
        'query Cursors($after: Cursor) { campaigns(first: 100, after: $after) { edges { cursor node { id } } } }',
    },
    campaign: (id) => id,
    updateEvent: (rowId, title) => ({ rowId, patch: { title } }),
  });
}
