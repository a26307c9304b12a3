import { graphql } from 'relay-runtime';

/** All campaigns, each with the first page of its events: the nested page that Larder is about. */
export const list = graphql`
  fragment CampaignList_query on Query
  @refetchable(queryName: "CampaignListPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
    campaigns(first: $count, after: $cursor) @connection(key: "CampaignList_campaigns") {
      edges {
        node {
          id
          ...CampaignHeader_campaign
          ...CampaignEvents_campaign @arguments(first: 3)
        }
      }
    }
  }
`;

/** The page of all campaigns. */
export const query = graphql`
  query CampaignListQuery {
    ...CampaignList_query
  }
`;
