import { graphql, useLazyLoadQuery, usePaginationFragment } from 'react-relay';
import { Events } from './events.jsx';
import { Freshness } from './freshness.jsx';

/** The nested page: campaigns, each with the first page of its events. */
export function Campaigns({ writes }) {
  const query = useLazyLoadQuery(
    graphql`
      query campaignsQuery {
        ...campaignsFragment
      }
    `,
    {},
  );
  const { data, loadNext, hasNext, isLoadingNext } = usePaginationFragment(
    graphql`
      fragment campaignsFragment on Query
      @refetchable(queryName: "campaignsPaginationQuery")
      @argumentDefinitions(count: { type: "Int", defaultValue: 4 }, cursor: { type: "String" }) {
        campaigns(first: $count, after: $cursor) @connection(key: "Demo_campaigns") {
          edges {
            node {
              id
              title
              brand {
                name
              }
              ...eventsFragment
            }
          }
        }
      }
    `,
    query,
  );
  const campaigns = data.campaigns.edges.map(({ node }) => node);
  return (
    <>
      {campaigns.length > 0 && <Freshness campaign={campaigns[0]} />}
      {campaigns.map((campaign) => (
        <article key={campaign.id} aria-label={campaign.title}>
          <h2>{campaign.title}</h2>
          <p>{campaign.brand?.name}</p>
          <Events campaign={campaign} writes={writes} />
        </article>
      ))}
      {hasNext && (
        <button type="button" aria-disabled={isLoadingNext} onClick={() => loadNext(4)}>
          More campaigns
        </button>
      )}
    </>
  );
}
