import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, t } from 'tap';
import { readConfig } from '../../../src/app/config.ts';
import { findFreePort } from '../../../src/cli/services/port.ts';
import { createAuthority } from '../../support/certificates.ts';
import { openServer } from '../../support/server.ts';
import { freshDatabase, freshRedis } from '../../support/services.ts';
import { reachableDirectory } from '../../support/temporary.ts';

const directory = reachableDirectory(t);
const authority = await createAuthority(directory, 'authority');
const stranger = await createAuthority(directory, 'stranger');
const shown = authority.issue('redis', 'IP:127.0.0.1');
const client = authority.issue('client');
const sockets = mkdtempSync('/tmp/larder-redis-');
t.teardown(() => rmSync(sockets, { recursive: true, force: true }));
const socket = join(sockets, 'redis.sock');
const tlsPort = await findFreePort('127.0.0.1');
const redis = await freshRedis(t, [
  ...['--tls-port', String(tlsPort), '--tls-cert-file', shown.cert, '--tls-key-file', shown.key],
  ...['--tls-ca-cert-file', authority.cert, '--unixsocket', socket],
  ...['--user', 'shop', 'on', '>a%b@c/d', '~*', '&*', '+@all'],
]);
const database = await freshDatabase(t);

/** Whether a server gets to Redis by an address. */
async function reaches(t: Test, url: string): Promise<unknown> {
  const server = await openServer(t, { database, redis: null, env: { REDIS_URL: url } });
  try {
    const body = (await (await fetch(`${server.url}/readyz`)).json()) as { status: unknown };
    return body.status;
  } finally {
    await server.close();
  }
}

const ca = `ssl_ca_certs=${authority.cert}`;
const own = `ssl_certfile=${client.cert}&ssl_keyfile=${client.key}`;

t.test('Redis with TLS is reached by its authority, and sees a certificate', async (t) => {
  const at = `rediss://127.0.0.1:${tlsPort}/2`;
  t.equal(await reaches(t, `${at}?${ca}&${own}`), 'ready');
  t.equal(await reaches(t, `${at}?${ca}`), 'degraded', 'without a certificate of the client');
  t.equal(await reaches(t, `${at}?${own}`), 'degraded', 'by an authority that nobody knows');
  t.equal(await reaches(t, `${at}?ssl_ca_certs=${stranger.cert}&${own}`), 'degraded', 'by another one');
  t.equal(await reaches(t, `rediss://localhost:${tlsPort}/2?${ca}&${own}`), 'degraded', 'under another name');
  t.equal(await reaches(t, `${at}?${own}&ssl_cert_reqs=none`), 'ready', 'unless nobody looks');
});

t.test('Redis is reached by a socket, and by an ACL user whose password has every sign', async (t) => {
  t.equal(await reaches(t, `unix://${socket}?db=1`), 'ready');
  t.equal(await reaches(t, `redis+socket://${socket}`), 'ready');
  const encoded = encodeURIComponent('a%b@c/d');
  t.equal(await reaches(t, `redis://shop:${encoded}@127.0.0.1:${redis.port}`), 'ready');
  t.equal(await reaches(t, `unix://shop:${encoded}@${socket}`), 'ready');
  t.equal(await reaches(t, `redis://shop:wrong@127.0.0.1:${redis.port}`), 'degraded');
});

t.test('what cannot be is named when the server starts', async (t) => {
  const wrong: [string, RegExp][] = [
    ['rediss://h?ssl_ca_certs=/none', /ssl_ca_certs cannot be read.*none/],
    [`rediss://h?ssl_certfile=${client.cert}`, /ssl_certfile and ssl_keyfile belong together/],
    ['rediss://h?ssl_cert_reqs=maybe', /ssl_cert_reqs must be none or required/],
    [`redis://h?${ca}`, /certificates are for rediss/],
  ];
  for (const [REDIS_URL, message] of wrong) {
    const refused = { name: 'ConfigError', message: new RegExp(`REDIS_URL: ${message.source}`) };
    t.throws(() => readConfig({ DATABASE_URL: 'postgres://h/d', REDIS_URL }), refused);
  }
});
