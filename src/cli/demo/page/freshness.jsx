import { useState } from 'react';
import { fetchQuery, graphql, useRelayEnvironment } from 'react-relay';

/** After this time a read by id must have the new title, whatever happens: MAX_STALENESS_MS of the demo, and some. */
const PATIENCE_MS = 15_000;

/** A button that changes a row behind the server's back, as psql does, and what reads then say. */
export function Freshness({ campaign }) {
  const environment = useRelayEnvironment();
  const [lines, setLines] = useState([]);
  const [busy, setBusy] = useState(false);
  const change = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await showFreshness(environment, campaign.id, setLines);
    } catch (error) {
      setLines([error.message]);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section aria-label="Freshness">
      <h2>See that nothing is stale</h2>
      <p>
        The button gives the first campaign another title in Postgres, past Larder, as psql would. Then the page asks
        for it again: in a list, and by its id.
      </p>
      <button type="button" aria-disabled={busy} onClick={change}>
        Change a row by SQL
      </button>
      <ul role="status">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}

async function showFreshness(environment, id, show) {
  // By its id it is in memory now, so that an old body could be answered.
  await titleById(environment, id);
  const response = await fetch('/demo/change', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id }),
  });
  const { sql, title, message } = await response.json();
  if (title === undefined) throw new Error(message);
  const committed = performance.now();
  const since = () => `${Math.round(performance.now() - committed)} ms`;
  const lines = [sql];
  show([...lines]);
  const list = await fetchQuery(environment, LIST, {}).toPromise();
  const listed = list.campaigns.edges[0].node.title;
  lines.push(
    listed === title
      ? `The list has it in the next request, after ${since()}.`
      : `The list has “${listed}”: report it!`,
  );
  show([...lines]);
  while ((await titleById(environment, id)) !== title) {
    if (performance.now() - committed > PATIENCE_MS) throw new Error('By id it is still old: report it!');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  lines.push(`By its id it is new after ${since()}.`);
  show([...lines]);
}

const LIST = graphql`
  query freshnessListQuery {
    campaigns(first: 1) {
      edges {
        node {
          id
          title
        }
      }
    }
  }
`;

async function titleById(environment, id) {
  const { node } = await fetchQuery(
    environment,
    graphql`
      query freshnessTitleQuery($id: ID!) {
        node(id: $id) {
          id
          ... on Campaign {
            title
          }
        }
      }
    `,
    { id },
    { networkCacheConfig: { force: true } },
  ).toPromise();
  return node?.title;
}
