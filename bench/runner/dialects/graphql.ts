import type { Dialect, QueryName, Request } from '../queries.ts';
import { databaseId, moment, type NormalCampaign, type NormalEvent, type NormalPageInfo, refuse } from './normal.ts';

/** How a server's schema writes what all of them can be asked. */
export interface Wording {
  readonly documents: Readonly<Record<QueryName | 'cursors', string>>;
  /** The argument that names a campaign, from its database id. */
  campaign(id: string): unknown;
  /** The input of the mutation that gives an event a title. */
  updateEvent(event: string, title: string): unknown;
  /** Sent with mutations. */
  readonly mutationHeaders?: Readonly<Record<string, string>>;
}

interface List {
  readonly nodes?: readonly Item[];
  readonly edges?: readonly { readonly node: Item }[];
  readonly pageInfo?: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Any campaign, event or brand of an answer; a join row has the event or campaign in it. */
interface Item {
  readonly id: string;
  readonly title: string;
  readonly name: string;
  readonly body?: string;
  readonly startsAt?: string;
  readonly brand?: Item;
  readonly events?: List;
  readonly campaigns?: List;
  readonly event?: Item;
  readonly campaign?: Item;
}

interface Data {
  readonly campaigns: List;
  readonly campaign: Item;
  readonly updateEvent: { readonly event: Item };
}

/**
 * The dialect of a GraphQL server: one document for each query, sent with variables by POST.
 *
 * @param wording how its schema writes things
 * @returns the dialect
 */
export function graphqlDialect(wording: Wording): Dialect {
  const post = (name: keyof Wording['documents'], variables: object, headers: Request['headers'] = {}): Request => ({
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: wording.documents[name], variables }),
  });
  return {
    queries: ['nested', 'wide', 'heavy', 'random', 'byId', 'threeLevels', 'mutation'],
    request: (query, subject, cursors) => {
      if (query === 'random' || query === 'heavy') {
        return post(query, { after: cursors.get(subject.after ?? '') ?? null });
      }
      if (query === 'byId') return post(query, { id: wording.campaign(subject.campaign) });
      if (query === 'mutation') {
        return post(query, { input: wording.updateEvent(subject.event, subject.title) }, wording.mutationHeaders);
      }
      return post(query, {});
    },
    normalise: (query, body) => {
      const { campaigns, campaign, updateEvent } = dataOf(body);
      if (query === 'byId') return normalCampaign(campaign);
      if (query === 'mutation') return normalEvent(updateEvent.event);
      return { campaigns: listOf(campaigns).map(normalCampaign), ...normalPageInfo(campaigns) };
    },
    cursorPage: (after) => post('cursors', { after }),
    readCursors: (body) => {
      const { campaigns } = dataOf(body) as unknown as { campaigns: { edges: { cursor: string; node: Item }[] } };
      return campaigns.edges.map(({ cursor, node }) => [databaseId(node.id), cursor]);
    },
  };
}

function dataOf(body: unknown): Data {
  const { data, errors } = body as { data?: Data | null; errors?: unknown };
  return data == null || errors !== undefined ? refuse(body, errors) : data;
}

function listOf({ nodes, edges }: List): readonly Item[] {
  const items = nodes ?? edges?.map((edge) => edge.node) ?? [];
  return items.map((item) => item.event ?? item.campaign ?? item);
}

function normalPageInfo({ pageInfo }: List): { pageInfo?: NormalPageInfo } {
  if (pageInfo === undefined) return {};
  return { pageInfo: { hasNextPage: pageInfo.hasNextPage, hasEndCursor: pageInfo.endCursor != null } };
}

function normalCampaign({ id, title, body, brand, events }: Item): NormalCampaign {
  return {
    id: databaseId(id),
    title,
    ...(body === undefined ? {} : { body }),
    ...(brand === undefined ? {} : { brand: { id: databaseId(brand.id), name: brand.name } }),
    ...(events === undefined ? {} : { events: listOf(events).map(normalEvent), ...normalPageInfo(events) }),
  };
}

function normalEvent({ id, title, body, startsAt, campaigns }: Item): NormalEvent {
  return {
    id: databaseId(id),
    title,
    ...(body === undefined ? {} : { body }),
    ...(startsAt === undefined ? {} : { startsAt: moment(startsAt) }),
    ...(campaigns === undefined ? {} : { campaigns: listOf(campaigns).map(normalCampaign) }),
  };
}
