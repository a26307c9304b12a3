import { t } from 'tap';
import { startServer } from '../../support/server.ts';

t.test('the page comes with a strict policy and a nonce for itself alone', async (t) => {
  const { url } = await startServer(t, { redis: null, env: { GRAPHIQL: 'true' } });
  const nonces = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const response = await fetch(`${url}/graphiql`);
    t.equal(response.status, 200);
    t.equal(response.headers.get('cache-control'), 'no-store', 'nobody gets the nonce of another');
    const policy = response.headers.get('content-security-policy') ?? '';
    t.match(policy, "default-src 'self';");
    t.notMatch(policy, /unsafe|https?:|\*/);
    t.equal(response.headers.get('strict-transport-security'), null, 'what speaks for the whole host is left to it');
    const nonce = /data-nonce="([0-9a-f]+)"/.exec(await response.text())?.[1] ?? 'none';
    t.match(policy, `style-src 'self' 'nonce-${nonce}'`);
    nonces.add(nonce);
  }
  t.equal(nonces.size, 2);
});

t.test('/ leads to the page', async (t) => {
  const { url } = await startServer(t, { redis: null, env: { GRAPHIQL: 'true' } });
  const response = await fetch(`${url}/`, { redirect: 'manual' });
  t.equal(response.status, 302);
  t.equal(response.headers.get('location'), '/graphiql');
});

t.test('in production there is no page, and nothing at /', async (t) => {
  const { url } = await startServer(t, { redis: null });
  for (const path of ['/', '/graphiql', '/graphiql/main.js']) t.equal((await fetch(url + path)).status, 404, path);
});
