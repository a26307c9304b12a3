import { generateKeyPairSync } from 'node:crypto';
import { t } from 'tap';
import { startServer } from '../../support/server.ts';
import { bearer, JWT_SECRET } from '../../support/token.ts';

const WRITE = 'mutation { createBrand(input: { name: "x" }) { brand { id } } }';
const READ = '{ brands { totalCount } }';

t.test('without a key nobody may write, and everybody may read', async (t) => {
  const server = await startServer(t);
  t.match(await server.query(WRITE, {}, bearer()), { status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  t.match(await server.query(READ), { status: 200, data: { brands: { totalCount: 0 } } });
});

t.test('a shared secret', async (t) => {
  const server = await startServer(t, { env: { JWT_SECRET, JWT_AUDIENCE: 'larder' } });
  const good = { aud: 'larder' };
  const none = (claims: object) =>
    `Bearer ${[{ alg: 'none', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const hour = Math.floor(Date.now() / 1000) + 3600;
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const refused: Record<string, Record<string, string>> = {
    'no token at all, for a write': {},
    'an expired one': bearer({ ...good, exp: 1_000_000_000 }),
    'one of another key': bearer(good, 'another secret that is just as long as the right one'),
    'one for another audience': bearer({ aud: 'other' }),
    'one for no audience': bearer(),
    'one that is not signed': { authorization: none({ ...good, scope: 'write', exp: hour }) },
    'one of an algorithm that needs no secret': bearer(good, privateKey, 'RS256'),
    'another scheme': { authorization: 'Basic dGVzdGVyOnNlY3JldA==' },
    nonsense: { authorization: 'Bearer nonsense' },
  };
  for (const [name, headers] of Object.entries(refused)) {
    const answer = await server.query(WRITE, {}, headers);
    t.match(answer, { status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }, name);
    t.match(answer.headers.get('www-authenticate'), /^Bearer/, name);
    t.same(answer.data, undefined, name);
  }
  for (const scope of ['read', '', 'writer', 'read,write']) {
    const answer = await server.query(WRITE, {}, bearer({ ...good, scope }));
    t.match(answer, { status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] }, `the scope "${scope}"`);
    t.match(answer.headers.get('www-authenticate'), 'insufficient_scope');
  }
  t.match(await server.query(READ, {}, { authorization: 'Bearer nonsense' }), { status: 401 }, 'also for a read');
  t.match(await server.sql`select count(*)::int as brands from brands`, [{ brands: 0 }], 'nothing was written');
  const written = await server.query(WRITE, {}, bearer({ ...good, scope: 'read write' }));
  t.match(written, { status: 200, data: { createBrand: {} } });
  t.match(await server.query(WRITE, {}, bearer(good, JWT_SECRET, 'HS512')), { status: 200 });
  t.match(await server.query(READ), { data: { brands: { totalCount: 2 } } }, 'anonymous readers need none');
});

t.test('a public key', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const server = await startServer(t, { env: { JWT_PUBLIC_KEY: publicKey } });
  t.match(await server.query(WRITE, {}, bearer({}, privateKey, 'RS256')), { status: 200, data: { createBrand: {} } });
  // Whoever has the public key, which is anybody, must not be able to sign with its text as a shared secret.
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');
  const claims = Buffer.from(JSON.stringify({ scope: 'write', exp: 4_000_000_000 })).toString('base64url');
  const { createHmac } = await import('node:crypto');
  const signature = createHmac('sha256', publicKey).update(`${header}.${claims}`).digest('base64url');
  const forged = { authorization: `Bearer ${header}.${claims}.${signature}` };
  t.match(await server.query(WRITE, {}, forged), { status: 401 }, 'the algorithm is ours to choose');
});

t.test('REQUIRE_AUTH closes reading, too', async (t) => {
  const server = await startServer(t, { env: { JWT_SECRET, REQUIRE_AUTH: 'true' } });
  const anonymous = await server.query(READ);
  t.match(anonymous, { status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  t.equal(anonymous.headers.get('www-authenticate'), 'Bearer');
  t.match(await server.query(READ, {}, bearer({ scope: 'read' })), { status: 200, data: { brands: {} } });
});

t.test('a mutation by GET is refused, with or without a token', async (t) => {
  const server = await startServer(t, { env: { JWT_SECRET } });
  const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(WRITE)}`, { headers: bearer() });
  t.equal(response.status, 405);
  t.equal(response.headers.get('allow'), 'POST');
  t.match(await server.sql`select count(*)::int as brands from brands`, [{ brands: 0 }]);
});
