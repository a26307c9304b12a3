/* global GraphiQL, React, ReactDOM */

import { fetcher } from './fetcher.js';
import { Inspector } from './inspector.js';

const place = document.getElementById('graphiql');
const element = React.createElement;

// The name under which graphiql.min.js looks for the nonce of a style element that it adds.
window.__webpack_nonce__ = place.dataset.nonce;

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
    // Only what is inside of GraphiQL can make it run its query. The inspector is seen below all of it.
    element(GraphiQL.Footer, null, ReactDOM.createPortal(element(Inspector), document.getElementById('inspector'))),
  ),
);
