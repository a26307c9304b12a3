import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigner } from 'fast-jwt';
import { type Test, t } from 'tap';
import { startServer } from '../support/server.ts';
import { reachableDirectory } from '../support/temporary.ts';
import { codes, type Sent, send } from './client.ts';

const TEXT = 'query Count($first: Int = 1) { campaigns(first: $first) { totalCount } }';
const FAILING = '{ campaigns(first: 101) { totalCount } }';
const WRITING = 'mutation { deleteBrand(input: { id: "x" }) { clientMutationId } }';
const SEVERAL = 'query A { a: __typename } query B { b: __typename }';
const SECRET = 'a secret of at least thirty-two characters';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');

function fileOf(t: Test, documents: object): string {
  const file = join(reachableDirectory(t), 'documents.json');
  writeFileSync(file, JSON.stringify(documents));
  return file;
}

const file = fileOf(t, Object.fromEntries([TEXT, FAILING, WRITING, SEVERAL].map((text) => [hash(text), text])));
const env = { TRUSTED_DOCUMENTS_FILE: file, CACHE_CONTROL: 'public, max-age=60', JWT_SECRET: SECRET };
const open = await startServer(t, { redis: null, env });
const only = await startServer(t, { redis: null, env: { ...env, TRUSTED_DOCUMENTS: 'only' } });
const DATA = { campaigns: { totalCount: 0 } };

t.test('a document is named in the form of the specification, of Relay and of Apollo', async (t) => {
  const id = hash(TEXT);
  const persistedQuery = { version: 1, sha256Hash: id };
  const bodies: object[] = [
    { documentId: `sha256:${id}` },
    { documentId: id },
    { documentId: `SHA256:${id.toUpperCase()}` },
    { documentId: `sha256:${id}`, query: null, variables: { first: 3 } },
    { documentId: `sha256:${id}`, query: TEXT },
    { documentId: id, query: '' },
    { doc_id: id },
    { id },
    { id, query: null, variables: {} },
    { id, query: '', variables: {} },
    { extensions: { persistedQuery } },
    { extensions: { persistedQuery }, operationName: 'Count', variables: {} },
    { extensions: { persistedQuery }, query: TEXT },
    { extensions: { persistedQuery }, query: '' },
    { query: TEXT },
  ];
  for (const server of [open, only]) {
    for (const body of bodies) t.same((await send(server.url, { body })).json, { data: DATA }, JSON.stringify(body));
    for (const search of [
      { documentId: `sha256:${id}` },
      { doc_id: id, variables: '{"first":2}' },
      { documentId: id, query: '' },
      { extensions: JSON.stringify({ persistedQuery }), operationName: 'Count' },
    ]) {
      t.same((await send(server.url, { search })).json, { data: DATA }, `GET ${JSON.stringify(search)}`);
    }
    const named = await send(server.url, { body: { documentId: hash(SEVERAL), operationName: 'B' } });
    t.same(named.json, { data: { b: 'Query' } });
    t.same(codes(await send(server.url, { body: { documentId: hash(SEVERAL) } })), ['OPERATION_NOT_FOUND']);
    t.same(codes(await send(server.url, { body: { documentId: hash(WRITING) } })), ['UNAUTHENTICATED']);
    t.same(codes(await send(server.url, { search: { documentId: hash(WRITING) } })), ['METHOD_NOT_ALLOWED']);
  }
});

t.test('a name that is not there is one clear error', async (t) => {
  const unknown = hash('{ __typename }');
  const names = [
    ...[unknown, `sha256:${unknown}`, 'sha256:', '', ' ', `sha256:${hash(TEXT)} `, `sha256:sha256:${hash(TEXT)}`],
    ...['__proto__', 'constructor', 'sha256:__proto__', 'toString', '../documents', `md5:${hash(TEXT).slice(32)}`],
    ...[createHash('md5').update(TEXT).digest('hex'), `sha512:${hash(TEXT)}`, hash(TEXT).slice(1), 'x'.repeat(100_000)],
  ];
  for (const server of [open, only]) {
    for (const documentId of names) {
      const answer = await send(server.url, { body: { documentId } });
      t.same(
        [answer.status, answer.text],
        [
          400,
          '{"errors":[{"message":"There is no trusted document of that id.","extensions":{"code":"DOCUMENT_NOT_FOUND"}}]}',
        ],
        documentId.slice(0, 80),
      );
    }
    const body = { documentId: unknown, query: '{ __typename }' };
    t.same(codes(await send(server.url, { body })), ['DOCUMENT_NOT_FOUND'], 'even with its text');
    const other = { documentId: hash(TEXT), query: '{ __typename }' };
    t.same(codes(await send(server.url, { body: other })), ['DOCUMENT_NOT_FOUND'], 'or with that of another');
    for (const documentId of [1, {}, [], true]) {
      t.same(codes(await send(server.url, { body: { documentId } })), ['BAD_REQUEST']);
    }
  }
});

t.test("Apollo's clients send the text when the name is not known", async (t) => {
  const query = '{ __typename }';
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash(query) } };
  const strict = { accept: 'application/graphql-response+json' };
  for (const server of [open, only]) {
    for (const sent of [{ body: { extensions } }, { search: { extensions: JSON.stringify(extensions) } }]) {
      const asked = await send(server.url, sent);
      t.equal(asked.status, 200);
      const known = { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } };
      t.same(asked.json, { errors: [known] }, 'the words that they know');
      t.equal((await send(server.url, { ...sent, headers: strict })).status, 400);
    }
  }
  t.same((await send(open.url, { body: { query, extensions } })).json, { data: { __typename: 'Query' } });
  t.same(
    codes(await send(open.url, { body: { extensions } })),
    ['PERSISTED_QUERY_NOT_FOUND'],
    'no text makes itself trusted',
  );
  t.same(codes(await send(only.url, { body: { query, extensions } })), ['DOCUMENT_NOT_TRUSTED']);
  const lie = { body: { query: '{ a: __typename }', extensions } };
  for (const server of [open, only]) {
    const answer = await send(server.url, lie);
    t.same([answer.status, codes(answer)], [400, ['DOCUMENT_ID_MISMATCH']], 'a hash of something else');
  }
  const wrong = { persistedQuery: { version: 1, sha256Hash: 5 } };
  t.same(codes(await send(open.url, { body: { extensions: wrong } })), ['BAD_REQUEST']);
});

t.test("where there are no trusted documents, Apollo's clients are told to send texts alone", async (t) => {
  const none = await startServer(t, { redis: null });
  const query = '{ __typename }';
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash(query) } };
  const known = { message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } };
  for (const sent of [
    { body: { extensions } },
    { body: { extensions, query: '' } },
    { search: { extensions: JSON.stringify(extensions) } },
  ]) {
    const asked = await send(none.url, sent);
    t.same([asked.status, asked.json], [200, { errors: [known] }], 'the words that they know');
    const strict = await send(none.url, { ...sent, headers: { accept: 'application/graphql-response+json' } });
    t.same([strict.status, strict.json], [400, { errors: [known] }]);
  }
  t.same((await send(none.url, { body: { query, extensions } })).json, { data: { __typename: 'Query' } });
  t.same((await send(none.url, { body: { query } })).json, { data: { __typename: 'Query' } });
  const lie = { body: { query: '{ a: __typename }', extensions } };
  t.same(codes(await send(none.url, lie)), ['DOCUMENT_ID_MISMATCH']);
});

t.test('an id beside a text is a name only when it has the form of one', async (t) => {
  const query = '{ __typename }';
  const md5 = createHash('md5').update(query).digest('hex');
  for (const name of ['id', 'doc_id']) {
    for (const id of [null, '', 'CampaignListQuery', md5, 7, { a: 1 }, ['x'], true, 'sha256:', hash(query).slice(1)]) {
      const body = { [name]: id, query, variables: {} };
      t.same((await send(open.url, { body })).json, { data: { __typename: 'Query' } }, JSON.stringify(body));
      t.same(codes(await send(only.url, { body })), ['DOCUMENT_NOT_TRUSTED'], 'and nothing gets in by it');
      t.same((await send(only.url, { body: { ...body, query: TEXT } })).json, { data: DATA });
    }
    t.same(codes(await send(open.url, { body: { [name]: hash(query), query } })), ['DOCUMENT_NOT_FOUND']);
    t.same(codes(await send(open.url, { body: { [name]: md5 } })), ['DOCUMENT_NOT_FOUND'], 'alone it is one');
    t.same(codes(await send(open.url, { body: { [name]: 7 } })), ['BAD_REQUEST']);
  }
  t.same((await send(open.url, { search: { id: 'Relay', query } })).json, { data: { __typename: 'Query' } });
});

t.test('only trusted documents are answered when that is configured', async (t) => {
  for (const query of [
    '{ __typename }',
    `${TEXT} `,
    `${TEXT}#`,
    TEXT.toLowerCase(),
    '{',
    'query',
    '{ __schema { queryType { name } } }',
  ]) {
    const answer = await send(only.url, { body: { query } });
    t.same([answer.status, codes(answer)], [400, ['DOCUMENT_NOT_TRUSTED']], query);
    t.same(codes(await send(only.url, { search: { query } })), ['DOCUMENT_NOT_TRUSTED']);
  }
  await t.rejects(startServer(t, { redis: null, env: { TRUSTED_DOCUMENTS: 'only' } }), {
    name: 'ConfigError',
    message: /TRUSTED_DOCUMENTS_FILE/,
  });
});

t.test('what may be stored is what a URL names, whole, and the same for everybody', async (t) => {
  const token = createSigner({ key: SECRET })({ sub: 'somebody', scope: 'write' });
  const get = (search: Record<string, string>, headers: Record<string, string> = {}): Sent => ({ search, headers });
  const documentId = hash(TEXT);
  const cases: [string, Sent, string][] = [
    ['a trusted document', get({ documentId }), 'public, max-age=60'],
    ['its text', get({ query: TEXT }), 'public, max-age=60'],
    ['with other variables', get({ documentId, variables: '{"first":2}' }), 'public, max-age=60'],
    ['its head', { ...get({ documentId }), method: 'HEAD' }, 'public, max-age=60'],
    ['a document that is not trusted', get({ query: '{ __typename }' }), 'no-store'],
    ['by POST', { body: { documentId } }, 'no-store'],
    ['for a bearer of a token', get({ documentId }, { authorization: `Bearer ${token}` }), 'no-store'],
    ['with a wrong token', get({ documentId }, { authorization: 'Bearer x' }), 'no-store'],
    ['with an error', get({ documentId: hash(FAILING) }), 'no-store'],
    ['with wrong variables', get({ documentId, variables: '{"first":"x"}' }), 'no-store'],
    ['with an unknown name', get({ documentId: 'x' }), 'no-store'],
    ['with its cost', get({ documentId }, { 'x-cost': '1' }), 'no-store'],
    ['with what it did', get({ documentId }, { 'x-inspect': '1' }), 'no-store'],
    ['not acceptable', get({ documentId }, { accept: 'text/html' }), 'no-store'],
  ];
  for (const [name, sent, expected] of cases) {
    const { headers } = await send(open.url, sent);
    t.equal(headers['cache-control'], expected, name);
    for (const name of ['accept', 'authorization']) t.match(headers.vary, name);
    t.notMatch(headers.vary, 'larder-position');
  }
  const replicated = await startServer(t, { redis: null, env: { ...env, DATABASE_REPLICA_URLS: open.database.url } });
  t.match((await send(replicated.url, get({ documentId }))).headers, {
    'cache-control': 'public, max-age=60',
    vary: /\blarder-position\b/,
  });
  const plain = await startServer(t, { redis: null, env: { TRUSTED_DOCUMENTS_FILE: file } });
  t.equal((await send(plain.url, get({ documentId }))).headers['cache-control'], 'no-store', 'unless it is configured');
});

t.test('a file that is not right keeps the server from starting, and says why', async (t) => {
  const refused: [object | null, RegExp][] = [
    [{ [hash(TEXT)]: `${TEXT} ` }, new RegExp(`the document ${hash(TEXT)} is not the text of that hash`)],
    [{ [hash(TEXT).toUpperCase()]: TEXT }, /is not the text of that hash/],
    [{ [`sha256:${hash(TEXT)}`]: TEXT }, /is not the text of that hash/],
    [{ [hash(TEXT)]: 1 }, /is not the text of that hash/],
    [[TEXT], /expected an object/],
    [null, /expected an object/],
  ];
  for (const [documents, message] of refused) {
    const TRUSTED_DOCUMENTS_FILE = fileOf(t, documents as object);
    await t.rejects(startServer(t, { redis: null, env: { TRUSTED_DOCUMENTS_FILE } }), { message });
  }
  const directory = reachableDirectory(t);
  writeFileSync(join(directory, 'broken.json'), '{');
  for (const name of ['broken.json', 'missing.json']) {
    const TRUSTED_DOCUMENTS_FILE = join(directory, name);
    await t.rejects(startServer(t, { redis: null, env: { TRUSTED_DOCUMENTS_FILE } }), {
      message: `The trusted documents cannot be read from ${TRUSTED_DOCUMENTS_FILE}`,
    });
  }
});
