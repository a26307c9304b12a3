import { useState } from 'react';
import { graphql, usePaginationFragment, useRelayEnvironment } from 'react-relay';
import { ConnectionHandler } from 'relay-runtime';
import { send } from './send.js';

/** The events of a campaign, in pages, and a button that adds one. */
export function Events({ campaign, writes }) {
  const { data, loadNext, hasNext, isLoadingNext } = usePaginationFragment(
    graphql`
      fragment eventsFragment on Campaign
      @refetchable(queryName: "eventsPaginationQuery")
      @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" }) {
        id
        events(first: $count, after: $cursor) @connection(key: "Demo_events") {
          edges {
            node {
              id
              title
              startsAt
            }
          }
        }
      }
    `,
    campaign,
  );
  const environment = useRelayEnvironment();
  const [problem, setProblem] = useState(null);
  const add = () => addEvent(environment, data.id).catch((error) => setProblem(error.message));
  return (
    <>
      <ul>
        {data.events.edges.map(({ node }) => (
          <li key={node.id}>
            {node.title} <time dateTime={node.startsAt}>{node.startsAt.slice(0, 10)}</time>
          </li>
        ))}
      </ul>
      {hasNext && (
        <button type="button" aria-disabled={isLoadingNext} onClick={() => loadNext(3)}>
          More events
        </button>
      )}
      {writes && (
        <button type="button" onClick={add}>
          Add an event
        </button>
      )}
      {problem !== null && <p role="alert">{problem}</p>}
    </>
  );
}

/** Makes an event, then lets it belong to the campaign: its edge goes to the end of the list. */
async function addEvent(environment, campaignId) {
  const made = await send(
    environment,
    graphql`
      mutation eventsCreateMutation($input: CreateEventInput!) {
        createEvent(input: $input) {
          event {
            id
          }
        }
      }
    `,
    { input: { title: `Added at ${new Date().toLocaleTimeString()}`, startsAt: '2099-01-01T00:00:00Z' } },
  );
  await send(
    environment,
    graphql`
      mutation eventsAddMutation($input: AddEventToCampaignInput!, $connections: [ID!]!) {
        addEventToCampaign(input: $input) {
          eventEdge @appendEdge(connections: $connections) {
            cursor
            node {
              id
              title
              startsAt
            }
          }
        }
      }
    `,
    {
      input: { campaignId, eventId: made.createEvent.event.id },
      connections: [ConnectionHandler.getConnectionID(campaignId, 'Demo_events')],
    },
  );
}
