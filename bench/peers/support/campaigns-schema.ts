/** The schema of the peers whose resolvers are written by hand, in the words of Larder's. */
export const schema = `
  type Query {
    campaigns(first: Int!, after: String): CampaignConnection!
    campaign(id: ID!): Campaign
  }
  type Mutation { updateEvent(input: UpdateEventInput!): UpdateEventPayload! }
  input UpdateEventInput { id: ID!, title: String! }
  type UpdateEventPayload { event: Event }
  type Brand { id: ID!, name: String!, campaigns(first: Int!): CampaignConnection! }
  type Campaign { id: ID!, title: String!, body: String!, brand: Brand!, events(first: Int!): EventConnection! }
  type Event { id: ID!, title: String!, body: String!, startsAt: String!, campaigns(first: Int!): CampaignConnection! }
  type PageInfo { hasNextPage: Boolean!, endCursor: String }
  type CampaignEdge { cursor: String!, node: Campaign! }
  type CampaignConnection { nodes: [Campaign!]!, edges: [CampaignEdge!]!, pageInfo: PageInfo! }
  type EventConnection { nodes: [Event!]!, pageInfo: PageInfo! }
`;

/** The arguments of a page. */
export interface PageArguments {
  readonly first: number;
  readonly after?: string | null;
}

/** A row of a list: the id of an entity, and what its cursor is. */
export interface Listed {
  readonly id: string;
  readonly key: string;
}

/** A page of a list whose statement fetched one row more than wanted; `nodes` are the entities of the rows that are. */
export function pageOf<Row>(rows: readonly Listed[], first: number, nodes: readonly Row[]) {
  return {
    nodes,
    edges: nodes.map((node, i) => ({ node, cursor: rows[i]?.key })),
    pageInfo: { hasNextPage: rows.length > first, endCursor: rows.slice(0, first).at(-1)?.key ?? null },
  };
}
