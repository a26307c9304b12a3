import { createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import Fastify from 'fastify';
import { type Test, t } from 'tap';
import { larderFastify } from '../../../src/http/index.ts';
import { createLarder } from '../../../src/index.ts';
import { entities, fillLibrary, librarySchema } from '../../kit/library.ts';
import { freshDatabase } from '../../support/services.ts';
import { openSql } from '../../support/stores.ts';

const database = await freshDatabase(t);
await fillLibrary(openSql(t, database), 1, 1);
const larder = await createLarder({ entities, postgres: { url: database.url } });
t.teardown(larder.close);
const schema = librarySchema();

const pemOf = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));

/** A server that checks tokens by a key, and says the status of a request that brings one. */
async function serve(t: Test, publicKey: string) {
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(larderFastify, {
    larder,
    schema,
    auth: { key: { publicKey } },
    limits: { maxEventLoopDelayMs: 0 },
  });
  return async (token: string) => {
    const url = '/graphql?query={__typename}';
    return (await app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode;
  };
}

/** Signs a token as its header says, whether its key fits or not. */
function tokenOf(key: KeyObject, alg: string): string {
  const hour = Math.floor(Date.now() / 1000) + 3600;
  const [head, claims] = [
    { alg, typ: 'JWT' },
    { sub: 'ada', exp: hour },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const text = `${head}.${claims}`;
  const signature = alg.startsWith('Ed')
    ? sign(null, Buffer.from(text), key)
    : createSign(`sha${alg.slice(2)}`)
        .update(text)
        .sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

t.test('a token of another algorithm than that of the key is not valid', async (t) => {
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ed25519 = generateKeyPairSync('ed25519');
  const cases = [
    [p256, ['ES256'], ['ES384', 'ES512', 'RS256']],
    [p384, ['ES384'], ['ES256', 'ES512']],
    [p521, ['ES512'], ['ES256']],
    [rsa, ['RS256', 'RS512'], ['ES256']],
    [ed25519, ['EdDSA', 'Ed25519'], ['ES256']],
  ] as const;
  for (const [{ publicKey, privateKey }, good, bad] of cases) {
    const ask = await serve(t, pemOf(publicKey));
    for (const alg of good) t.equal(await ask(tokenOf(privateKey, alg)), 200, alg);
    // Whoever signs with another key is refused, too, before the key is tried.
    const other = publicKey === ed25519.publicKey ? p256.privateKey : privateKey;
    for (const alg of bad) t.equal(await ask(tokenOf(other, alg)), 401, `${publicKey.asymmetricKeyType}: ${alg}`);
  }
});

t.test('a key that could never check a token is refused at once', async (t) => {
  const keys = [
    [generateKeyPairSync('ed448').publicKey, /ed448/],
    [generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, /1024 bits.*2048/],
    [generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey, /secp256k1.*P-256/],
    [generateKeyPairSync('x25519').publicKey, /x25519/],
  ] as const;
  for (const [key, message] of keys) await t.rejects(serve(t, pemOf(key)), { name: 'WrongValue', message });
});

t.test('a key on one line is a key', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ask = await serve(t, pemOf(publicKey).replaceAll('\n', '\\n'));
  t.equal(await ask(tokenOf(privateKey, 'ES256')), 200);
});
