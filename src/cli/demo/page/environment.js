import { Environment, Network, RecordSource, Store } from 'relay-runtime';
import { addRun } from './runs.js';

/**
 * A Relay environment whose requests are shown beside the page, with what each did to Postgres, Redis and the caches.
 *
 * @param token who writes; empty where nobody may
 */
export function createEnvironment(token) {
  const network = Network.create(async ({ name, text }, variables) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-inspect': '1',
        'x-cost': '1',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: text, variables }),
    });
    const { extensions, ...answer } = await response.json();
    addRun({ name, fetching: extensions?.dataFetching, limit: extensions?.cost?.limit });
    if (answer.errors !== undefined) throw new Error(answer.errors.map(({ message }) => message).join(' '));
    return answer;
  });
  return new Environment({ network, store: new Store(new RecordSource()) });
}
