import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { createLarder } from '../../../src/index.ts';
import { createAuthority } from '../../support/certificates.ts';
import { portForLater } from '../../support/port.ts';
import { freshDatabase, freshRedis } from '../../support/services.ts';
import { reachableDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const directory = reachableDirectory(t);
const authority = await createAuthority(directory, 'authority');
const stranger = await createAuthority(directory, 'stranger');
const shown = authority.issue('redis', 'IP:127.0.0.1');
const client = authority.issue('client');
const sockets = mkdtempSync('/tmp/larder-redis-');
t.teardown(() => rmSync(sockets, { recursive: true, force: true }));
const socket = join(sockets, 'redis.sock');
const tlsPort = await portForLater();
const redis = await freshRedis(t, [
  ...['--tls-port', String(tlsPort), '--tls-cert-file', shown.cert, '--tls-key-file', shown.key],
  ...['--tls-ca-cert-file', authority.cert, '--unixsocket', socket],
  ...['--user', 'shop', 'on', '>a%b@c/d', '~*', '&*', '+@all'],
]);
const database = await freshDatabase(t);

/** Whether a Larder gets to Redis by an address. */
async function reaches(url: string): Promise<boolean | null> {
  await using larder = await createLarder({ entities: {}, postgres: { url: database.url }, redis: { url } });
  return larder.health.redis();
}

/** Sees that a Larder gets to Redis: once in a while a machine is too slow for the tenth of a second that an answer may take. */
const reached = (url: string) => until(`Redis is reached by ${url}`, async () => (await reaches(url)) === true);

const ca = `ssl_ca_certs=${authority.cert}`;
const own = `ssl_certfile=${client.cert}&ssl_keyfile=${client.key}`;

t.test('Redis with TLS is reached by its authority, and sees a certificate', async (t) => {
  const at = `rediss://127.0.0.1:${tlsPort}/2`;
  await reached(`${at}?${ca}&${own}`);
  t.equal(await reaches(`${at}?${ca}`), false, 'without a certificate of the client');
  t.equal(await reaches(`${at}?${own}`), false, 'by an authority that nobody knows');
  t.equal(await reaches(`${at}?ssl_ca_certs=${stranger.cert}&${own}`), false, 'by another one');
  t.equal(await reaches(`rediss://localhost:${tlsPort}/2?${ca}&${own}`), false, 'under another name');
  await reached(`${at}?${own}&ssl_cert_reqs=none`);
});

t.test('Redis is reached by a socket, and by an ACL user whose password has every sign', async (t) => {
  await reached(`unix://${socket}?db=1`);
  await reached(`redis+socket://${socket}`);
  const encoded = encodeURIComponent('a%b@c/d');
  await reached(`redis://shop:${encoded}@127.0.0.1:${redis.port}`);
  await reached(`unix://shop:${encoded}@${socket}`);
  t.equal(await reaches(`redis://shop:wrong@127.0.0.1:${redis.port}`), false);
});

t.test('what cannot be is named when a Larder opens', async (t) => {
  const wrong: [string, RegExp][] = [
    ['rediss://h?ssl_ca_certs=/none', /ssl_ca_certs cannot be read.*none/],
    [`rediss://h?ssl_certfile=${client.cert}`, /ssl_certfile and ssl_keyfile belong together/],
    ['rediss://h?ssl_cert_reqs=maybe', /ssl_cert_reqs must be none or required/],
    [`redis://h?${ca}`, /certificates are for rediss/],
  ];
  for (const [url, message] of wrong) {
    const refused = { name: 'WrongValue', message: new RegExp(`redis\\.url: ${message.source}`) };
    await t.rejects(createLarder({ entities: {}, postgres: { url: database.url }, redis: { url } }), refused);
  }
});
