/* global GraphiQL, React, ReactDOM */

const nestedQuery = `# Two id-list statements, whatever the numbers; bodies come from cache.
{
  campaigns(first: 5) {
    nodes {
      id
      title
      events(first: 2) {
        nodes {
          id
          title
        }
      }
    }
  }
}
`;

const root = ReactDOM.createRoot(document.getElementById('graphiql'));
root.render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: '/graphql' }),
    defaultTabs: [{ query: nestedQuery, headers: '{ "x-inspect": "1" }' }],
    defaultEditorToolsVisibility: false,
    shouldPersistHeaders: false,
  }),
);
