import type { Dialect } from '../queries.ts';
import { SIZES } from '../queries.ts';
import { graphqlDialect } from './graphql.ts';

const { nested, wide, threeLevels } = SIZES;

/** A way to select the items of a connection. */
type Items = (fields: string) => string;

/**
 * The dialect of Larder, of the proof of concept, and of the peers made with Pothos, whose schemas agree in what is asked.
 *
 * @param items `nodes` where that is a shortcut; `edges` where the plugin would need a second statement for it
 * @param mutationHeaders sent with mutations
 * @returns the dialect
 */
export function relayDialect(
  items: 'nodes' | 'edges',
  mutationHeaders: Readonly<Record<string, string>> = {},
): Dialect {
  const each: Items = (fields) => (items === 'nodes' ? `nodes { ${fields} }` : `edges { node { ${fields} } }`);
  const eventsOf = (size: number, fields: string, more = '') => `events(first: ${size}) { ${each(fields)}${more} }`;
  const page = `id title ${eventsOf(nested.events, 'id title startsAt')}`;
  const pageInfo = ' pageInfo { hasNextPage endCursor }';
  const wideEvents = eventsOf(wide.events, 'id title body startsAt', pageInfo);
  const widePage = `${each(`id title body brand { id name } ${wideEvents}`)}${pageInfo}`;
  const inner = `campaigns(first: ${threeLevels.campaignsOfEvent}) { ${each('id title brand { id name }')} }`;
  return graphqlDialect({
    documents: {
      nested: `query Nested { campaigns(first: ${nested.campaigns}) { ${each(page)} } }`,
      random: `query Random($after: String) { campaigns(first: ${nested.campaigns}, after: $after) { ${each(page)} } }`,
      wide: `query Wide { campaigns(first: ${wide.campaigns}) { ${widePage} } }`,
      heavy: `query Heavy($after: String) { campaigns(first: ${wide.campaigns}, after: $after) { ${widePage} } }`,
      byId: 'query ById($id: ID!) { campaign(id: $id) { id title body brand { id name } } }',
      threeLevels: `query ThreeLevels { campaigns(first: ${threeLevels.campaigns}) { ${each(`id title ${eventsOf(threeLevels.events, `id title ${inner}`)}`)} } }`,
      mutation: 'mutation Rename($input: UpdateEventInput!) { updateEvent(input: $input) { event { id title } } }',
      cursors:
        'query Cursors($after: String) { campaigns(first: 100, after: $after) { edges { cursor node { id } } } }',
    },
    campaign: (id) => globalId('Campaign', id),
    updateEvent: (event, title) => ({ id: globalId('Event', event), title }),
    mutationHeaders,
  });
}

function globalId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64');
}
