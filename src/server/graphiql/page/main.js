/* global GraphiQL, React, ReactDOM */

const place = document.getElementById('graphiql');
const element = React.createElement;

// The name under which graphiql.min.js looks for the nonce of a style element that it adds.
window.__webpack_nonce__ = place.dataset.nonce;

const post = GraphiQL.createFetcher({
  url: '/graphql',
  // The server shows what a request did only to those who ask, and only where it is set up to.
  headers: { 'x-inspect': '1' },
  enableIncrementalDelivery: false,
});

let showFigures = () => {};

/** Sends a query, and tells the line below its answer what it did. */
async function fetcher(params, options) {
  const answer = await post(params, options);
  if (params.operationName !== 'IntrospectionQuery') showFigures(answer.extensions?.dataFetching);
  return answer;
}

/** What the last query did to Postgres, Redis and the cache: the end of the answer, where nobody would scroll to. */
function Figures() {
  const [figures, setFigures] = React.useState();
  showFigures = setFigures;
  if (!figures) return null;
  const { sql, redis, cache } = figures;
  const parts = [
    `${count(sql.statements, 'SQL statement')}, ${count(sql.rows, 'row')}, ${sql.ms.toFixed(1)} ms`,
    `${count(redis.commands, 'Redis command')}, ${redis.ms.toFixed(1)} ms`,
    ...Object.entries(cache).map(
      ([entity, { hits, misses }]) => `${entity}: ${count(hits, 'hit')}, ${misses} ${misses === 1 ? 'miss' : 'misses'}`,
    ),
  ];
  return parts.map((part) => element('span', { key: part }, part));
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

ReactDOM.createRoot(place).render(
  element(
    GraphiQL,
    {
      fetcher,
      defaultTabs: [{ query: place.dataset.query }],
      defaultEditorToolsVisibility: false,
      shouldPersistHeaders: false,
    },
    element(GraphiQL.Logo, null, 'Larder'),
    element(GraphiQL.Footer, null, element(Figures)),
  ),
);
