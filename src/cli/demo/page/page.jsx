import { Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { RelayEnvironmentProvider } from 'react-relay';
import { Campaigns } from './campaigns.jsx';
import { createEnvironment } from './environment.js';
import { Requests } from './requests.jsx';

const place = document.getElementById('page');
const { token } = place.dataset;

createRoot(place).render(
  <RelayEnvironmentProvider environment={createEnvironment(token)}>
    <header>
      <h1>Larder</h1>
      <p>
        Campaigns with their events, loaded by Relay. Load more, add an event, and see beside it what each request cost.
      </p>
    </header>
    <div className="columns">
      <main>
        <Suspense fallback="Loading …">
          <Campaigns writes={token !== ''} />
        </Suspense>
      </main>
      <Requests />
    </div>
  </RelayEnvironmentProvider>,
);
