import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type JWK, SignJWT } from 'jose';
import { type Test, t } from 'tap';
import { InvalidToken, KeysUnavailable, tokenVerifier } from '../../../src/http/guards/token-verifier.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { startServer } from '../../support/server.ts';

const WRITE = 'mutation { createBrand(input: { name: "x" }) { brand { id } } }';
const ISSUER = 'https://login.example.com/';
const ANY = { audience: null, issuer: null };

interface Pair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: JWK;
}

function rsa(kid: string): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, privateKey, jwk: { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg: 'RS256', use: 'sig' } };
}

function ec(kid: string): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, privateKey, jwk: { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg: 'ES256', use: 'sig' } };
}

const [one, two, three] = [rsa('one'), ec('two'), rsa('three')];

function sign({ kid, privateKey, jwk }: Pair, issuer = ISSUER): Promise<string> {
  return new SignJWT({ scope: 'write' })
    .setProtectedHeader({ alg: jwk.alg ?? '', kid })
    .setSubject('tester')
    .setIssuer(issuer)
    .setExpirationTime('1h')
    .sign(privateKey);
}

/** A provider of keys, which can be changed, and can fail. */
async function provider(t: Test, keys: JWK[]) {
  const state = { keys, status: 200, asked: 0 };
  const server = createServer((_request, response) => {
    state.asked += 1;
    response.writeHead(state.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: state.keys }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return Object.assign(state, { url: `http://127.0.0.1:${port}/jwks.json` });
}

t.test('keys by URL: several, of one issuer', async (t) => {
  const keys = await provider(t, [one.jwk, two.jwk]);
  const server = await startServer(t, { env: { JWT_JWKS_URL: keys.url, JWT_ISSUER: ISSUER } });
  const write = async (token: string | Promise<string>) =>
    server.query(WRITE, {}, { authorization: `Bearer ${await token}` });
  const answers = await Promise.all([sign(one), sign(three), sign(three)].map(write));
  t.same(
    answers.map(({ status }) => status),
    [200, 401, 401],
    'of those who ask at once, one is of a known key',
  );
  t.match(await write(sign(two)), { status: 200, data: { createBrand: {} } }, two.kid);
  t.match(
    await write(sign({ ...one, privateKey: three.privateKey })),
    { status: 401 },
    'one that names the key of another',
  );
  t.match(await write(sign(one, 'https://elsewhere.example/')), { status: 401 }, 'one of another issuer');
  t.equal(keys.asked, 1, 'strangers do not make it ask again and again');
  t.match(await server.query('{ brands { totalCount } }'), { data: { brands: { totalCount: 2 } } });
});

t.test('keys that cannot be had are no fault of the token', async (t) => {
  const keys = await provider(t, []);
  keys.status = 500;
  const server = await startServer(t, { env: { JWT_JWKS_URL: keys.url } });
  const headers = { authorization: `Bearer ${await sign(one)}` };
  const answer = await server.query(WRITE, {}, headers);
  t.match(answer, { status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  t.equal(answer.headers.get('retry-after'), '1');
  Object.assign(keys, { status: 200, keys: [one.jwk] });
  t.match(await server.query(WRITE, {}, headers), { status: 200 }, 'and as soon as they are there, all is well');
});

t.test('keys of a file rotate', async (t) => {
  const file = join(t.testdir({}), 'jwks.json');
  const write = (keys: JWK[]) => writeFileSync(file, JSON.stringify({ keys }));
  const clock = manualClock();
  const verify = tokenVerifier({ jwksUrl: pathToFileURL(file).href }, ANY, clock);
  await t.rejects(verify(await sign(one)), KeysUnavailable, 'while there is no file');
  write([one.jwk]);
  t.match(await verify(await sign(one)), { sub: 'tester' });
  write([one.jwk, two.jwk]);
  await t.rejects(verify(await sign(two)), InvalidToken, 'the file was read just now');
  await clock.advance(10_000);
  t.match(await verify(await sign(two)), { sub: 'tester' }, 'a key that it did not have makes it look again');
  write([two.jwk]);
  t.match(await verify(await sign(one)), { sub: 'tester' }, 'a key that it has is believed');
  await clock.advance(600_000);
  await t.rejects(verify(await sign(one)), InvalidToken, 'for ten minutes');
});

t.test('tokens that are nothing', async (t) => {
  const verify = tokenVerifier({ secret: 'a secret that is long enough to be one' }, ANY, manualClock());
  for (const token of ['', 'x', 'a.b.c', `${'e30.'.repeat(3)}`, await sign(one)]) {
    await t.rejects(verify(token), InvalidToken, token.slice(0, 12));
  }
});
