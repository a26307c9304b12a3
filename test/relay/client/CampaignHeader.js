import { graphql } from 'relay-runtime';

/** What stands above a campaign, with everything useRefetchableFragment needs to read it again by its id. */
export const campaign = graphql`
  fragment CampaignHeader_campaign on Campaign @refetchable(queryName: "CampaignHeaderRefetchQuery") {
    id
    title
    brand {
      name
    }
  }
`;
