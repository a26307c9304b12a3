import { graphql } from 'relay-runtime';

/** One campaign's events, in pages that usePaginationFragment can add to at either end. */
export const campaign = graphql`
  fragment CampaignEvents_campaign on Campaign
  @refetchable(queryName: "CampaignEventsPaginationQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
    orderBy: { type: "EventOrder" }
  ) {
    title
    events(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy)
      @connection(key: "CampaignEvents_events", filters: ["orderBy"]) {
      edges {
        node {
          id
          title
          startsAt
        }
      }
    }
  }
`;

/** The page of one campaign. */
export const query = graphql`
  query CampaignEventsQuery(
    $id: ID!
    $first: Int
    $after: String
    $last: Int
    $before: String
    $orderBy: EventOrder
  ) {
    node(id: $id) {
      __typename
      ...CampaignEvents_campaign
        @alias(as: "campaign")
        @arguments(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy)
    }
  }
`;
