import { deflateSync, gzipSync } from 'node:zlib';
import { t } from 'tap';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { codes, openRaw, type Sent, send } from './client.ts';

const server = await startServer(t, { redis: null });

const BODY = { query: '{ __typename }' };
const ANSWER = { data: { __typename: 'Query' } };
const JSON_TYPE = { 'content-type': 'application/json' };

const typeOf = (headers: Readonly<Record<string, string | undefined>>) => headers['content-type'];

t.test('a client gets the media type that it likes best', async (t) => {
  const json = 'application/json; charset=utf-8';
  const graphql = 'application/graphql-response+json; charset=utf-8';
  const accepted: Record<string, string> = {
    '*/*': json,
    'application/*': json,
    'application/json': json,
    'APPLICATION/JSON': json,
    'application/json; charset=utf-8': json,
    'application/graphql-response+json': graphql,
    'application/graphql-response+json; charset=utf-8': graphql,
    'application/graphql-response+json; charset=utf-8, application/json; charset=utf-8': graphql,
    'application/json, application/graphql-response+json': json,
    'application/json;q=0.9, application/graphql-response+json;q=0.8': json,
    'application/json;q=0.8, application/graphql-response+json;q=0.9': graphql,
    'application/graphql-response+json;q=0.1, application/json': json,
    'application/json;q=0, */*': graphql,
    'text/html, */*;q=0.1': json,
    'text/html, application/graphql-response+json;q=0.01': graphql,
    '': json,
  };
  for (const [accept, expected] of Object.entries(accepted)) {
    const fine = await send(server.url, { body: BODY, headers: { accept } });
    t.same([fine.status, typeOf(fine.headers), fine.json], [200, expected, ANSWER], `Accept: ${accept}`);
    const bad = await send(server.url, { body: { query: '{' }, headers: { accept } });
    const status = expected === json ? 200 : 400;
    t.same([bad.status, typeOf(bad.headers), 'data' in bad.json], [status, expected, false], 'an error, too');
    t.match(bad.headers.vary, /\baccept\b/);
  }
  for (const accept of ['text/html', 'application/json;q=0', 'application/json; charset=utf-16', 'nonsense', 'a/b/c']) {
    for (const time of ['the first time', 'again']) {
      const answer = await send(server.url, { body: BODY, headers: { accept } });
      t.same([answer.status, codes(answer)], [406, ['NOT_ACCEPTABLE']], `Accept: ${accept}, ${time}`);
    }
  }
  // More than a server remembers, some of them longer than it remembers any, and all of them twice.
  for (let i = 0; i < 200; i += 1) {
    const expected = i % 2 === 0 ? graphql : json;
    const accept = `${`text/${i % 100}, `.repeat(i % 7 === 0 ? 100 : 1)}${expected}`;
    t.equal(typeOf((await send(server.url, { body: BODY, headers: { accept } })).headers), expected);
  }
  t.equal((await send(server.url, { body: BODY })).headers['content-type'], json, 'without an Accept');
});

t.test('a body is JSON in UTF-8 and says so', async (t) => {
  const text = JSON.stringify(BODY);
  const types: Record<string, number> = {
    'application/json': 200,
    'application/json; charset=utf-8': 200,
    'application/json;charset=UTF-8': 200,
    'application/json; charset="utf-8"': 200,
    'APPLICATION/JSON': 200,
    'application/json;': 200,
    'application/json ;': 200,
    'application/json; ;  ': 200,
    'application/json;;charset=utf-8;': 200,
    'application/json ;\tcharset="UTF8" ;': 200,
    'application/json; CHARSET=Utf-8; charset=utf-8': 200,
    'application/json; profile="a;b"; v=1': 200,
    'application/json; charset=utf-16': 415,
    'application/json; charset=utf-8; charset=utf-16': 415,
    'application/json; profile="; charset=x"; charset="latin1"': 415,
    'application/json; charset=': 415,
    'application/json; charset': 415,
    'application/json; charset = utf-8': 415,
    'application/json; "utf-8"': 415,
    'application/json; charset=latin1': 415,
    'application/json\ta': 415,
    'application/json a': 415,
    'application/json, text/plain': 415,
    'application/json; boundary=x': 415,
    [`application/json${';          '.repeat(500)}x`]: 415,
    'application/jsonp': 415,
    'xapplication/json': 415,
    'text/plain': 415,
    'text/plain; application/json': 415,
    'application/x-www-form-urlencoded': 415,
    'multipart/form-data; boundary=x': 415,
    'application/graphql': 415,
    '': 415,
  };
  for (const [type, status] of Object.entries(types)) {
    const answer = await send(server.url, { body: text, headers: { 'content-type': type } });
    t.equal(answer.status, status, `Content-Type: ${type}`);
    if (status === 415) t.same(codes(answer), ['UNSUPPORTED_MEDIA_TYPE']);
    else t.same(answer.json, ANSWER);
  }
  const untyped = await send(server.url, { body: text });
  t.same([untyped.status, codes(untyped)], [415, ['UNSUPPORTED_MEDIA_TYPE']], 'no type at all');
  t.same((await send(server.url, { body: `\uFEFF${text}`, headers: JSON_TYPE })).json, ANSWER, 'a byte order mark');
  const latin = Buffer.from('{"query":"{ brand(id: \\"\xe4\\") { id } }"}', 'latin1');
  const broken = await send(server.url, { body: latin, headers: JSON_TYPE });
  t.same([broken.status, codes(broken)], [400, ['BAD_REQUEST']], 'bytes that are not UTF-8');
  const utf16 = await send(server.url, { body: Buffer.from(text, 'utf16le'), headers: JSON_TYPE });
  t.equal(utf16.status, 400, 'UTF-16');
});

t.test('a compressed body is not unpacked', async (t) => {
  const text = JSON.stringify(BODY);
  const bodies: Record<string, Buffer> = {
    gzip: gzipSync(text),
    deflate: deflateSync(text),
    br: Buffer.from(text),
    'gzip, gzip': gzipSync(gzipSync(text)),
    // A gigabyte of zeros in a megabyte would be unpacked by a server that is helpful.
    'x-gzip': gzipSync(Buffer.alloc(50_000_000)),
  };
  for (const [encoding, body] of Object.entries(bodies)) {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding };
    const answer = await send(server.url, { body, headers });
    t.same([answer.status, codes(answer)], [415, ['UNSUPPORTED_MEDIA_TYPE']], encoding);
  }
  for (const encoding of ['identity', 'Identity', 'IDENTITY', 'identity, identity', '']) {
    const plain = await send(server.url, { body: text, headers: { ...JSON_TYPE, 'content-encoding': encoding } });
    t.same(plain.json, ANSWER, `Content-Encoding: ${encoding}`);
  }
});

t.test('a body has a megabyte at most', async (t) => {
  const padded = (bytes: number) => `${JSON.stringify(BODY).slice(0, -1)},"x":"${'x'.repeat(bytes - 33)}"}`;
  const full = padded(1_048_576);
  t.equal(Buffer.byteLength(full), 1_048_576);
  t.same((await send(server.url, { body: full, headers: JSON_TYPE })).json, ANSWER, 'exactly');
  const beyond = await send(server.url, { body: padded(1_048_577), headers: JSON_TYPE });
  t.same([beyond.status, codes(beyond)], [413, ['PAYLOAD_TOO_LARGE']], 'one byte more');

  const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const announced = await openRaw(t, server.url, `${head}content-length: 99999999999\r\n\r\n{`);
  await until('one that is announced is answered before it comes', async () => announced.text() !== '');
  t.match(announced.text(), /^HTTP\/1\.1 413 /);
  const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
  const chunked = await openRaw(t, server.url, `${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(17)}`);
  await until('one that comes in pieces is answered before its end', async () => chunked.text() !== '');
  t.match(chunked.text(), /^HTTP\/1\.1 413 /);

  const small = await startServer(t, { redis: null, env: { BODY_LIMIT_BYTES: '1000' } });
  t.equal((await send(small.url, { body: padded(1001), headers: JSON_TYPE })).status, 413, 'as configured');
});

t.test('a body that is not what the specification says is a 400 that says so', async (t) => {
  const wrong: Record<string, string> = {
    '': 'BAD_REQUEST',
    ' ': 'BAD_REQUEST',
    null: 'BAD_REQUEST',
    true: 'BAD_REQUEST',
    '1': 'BAD_REQUEST',
    '"{ __typename }"': 'BAD_REQUEST',
    '[]': 'BAD_REQUEST',
    '[{"query":"{ __typename }"}]': 'BAD_REQUEST',
    '[{"query":"{ __typename }"},{"query":"{ __typename }"}]': 'BAD_REQUEST',
    '{}': 'BAD_REQUEST',
    '{"query":"{ __typename }"': 'BAD_REQUEST',
    '{"query":"{ __typename }"}{}': 'BAD_REQUEST',
    "{'query':'{ __typename }'}": 'BAD_REQUEST',
    '{"query":null}': 'BAD_REQUEST',
    '{"query":""}': 'BAD_REQUEST',
    '{"query":["{ __typename }"]}': 'BAD_REQUEST',
    '{"query":"{ __typename }","variables":[]}': 'BAD_REQUEST',
    '{"query":"{ __typename }","variables":"{}"}': 'BAD_REQUEST',
    '{"query":"{ __typename }","variables":0}': 'BAD_REQUEST',
    '{"query":"{ __typename }","extensions":[]}': 'BAD_REQUEST',
    '{"query":"{ __typename }","extensions":"{}"}': 'BAD_REQUEST',
    '{"query":"{ __typename }","extensions":{"persistedQuery":true}}': 'BAD_REQUEST',
    '{"query":"{ __typename }","operationName":{}}': 'BAD_REQUEST',
    '{"query":"{ __typename }","operationName":false}': 'BAD_REQUEST',
    '{"query":"{ __typename }","documentId":1}': 'BAD_REQUEST',
  };
  for (const [body, code] of Object.entries(wrong)) {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await send(server.url, { body, headers: { ...JSON_TYPE, accept } });
      t.same([answer.status, codes(answer), 'data' in answer.json], [400, [code], false], `${body} for ${accept}`);
    }
  }
  const right = [
    { ...BODY, variables: null, operationName: null, extensions: null },
    { ...BODY, variables: {}, extensions: {} },
    { ...BODY, variables: { unknown: { to: ['the', 'document'] } }, extensions: { persistedQuery: null } },
    { ...BODY, documentId: null, id: null, whatever: 1 },
  ];
  for (const body of right) t.same((await send(server.url, { body })).json, ANSWER, JSON.stringify(body));
});

t.test('prototypes are out of reach', async (t) => {
  const polluting = [
    '{"query":"{ __typename }","__proto__":{"admin":true}}',
    '{"query":"{ __typename }","constructor":{"prototype":{"admin":true}}}',
    '{"query":"{ __typename }","variables":{"__proto__":{"admin":true}}}',
    '{"query":"{ __typename }","variables":{"a":{"b":[{"__proto__":{"admin":true}}]}}}',
    '{"query":"{ __typename }","extensions":{"\\u005f_proto__":{"admin":true}}}',
    '{"__proto__":{"query":"{ __typename }"}}',
  ];
  for (const body of polluting) {
    const answer = await send(server.url, { body, headers: JSON_TYPE });
    t.same([answer.status, codes(answer)], [400, ['BAD_REQUEST']], body);
  }
  for (const search of ['__proto__[admin]=1', '__proto__=1', 'constructor.prototype.admin=1']) {
    const answer = await send(server.url, { path: `/graphql?query={__typename}&${encodeURI(search)}` });
    t.same(answer.json, ANSWER, search);
  }
  for (const search of [
    'variables={"__proto__":{"admin":true}}',
    'variables={"a":{"b":[{"constructor":{"prototype":{"admin":true}}}]}}',
    'extensions={"\\u005f_proto__":{"admin":true}}',
  ]) {
    const answer = await send(server.url, { path: `/graphql?query={__typename}&${encodeURI(search)}` });
    t.same([answer.status, codes(answer)], [400, ['BAD_REQUEST']], search);
  }
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON'];
  for (const name of names) {
    const query = `query ${name}($${name}: Int) { ${name}: campaigns(first: $${name}) { ...${name} } } fragment ${name} on CampaignConnection { ${name}: totalCount }`;
    const answer = await send(server.url, { body: { query, operationName: name, variables: { x: 1 } } });
    t.same([answer.status, answer.text], [200, `{"data":{"${name}":{"${name}":0}}}`], `everything is called ${name}`);
  }
  t.equal(
    ({} as { admin?: unknown }).admin,
    undefined,
    'the server is in this process, and its objects are as they were',
  );
});

t.test('an operation that cannot be determined is an error in a request that is all right', async (t) => {
  const several = 'query A { __typename } query B { __typename }';
  for (const sent of [
    { query: several, operationName: 'C' },
    { query: several },
    { query: 'fragment F on Query { __typename }' },
  ]) {
    for (const [accept, status] of [
      ['application/json', 200],
      ['application/graphql-response+json', 400],
    ] as const) {
      const answer = await send(server.url, { body: sent, headers: { accept } });
      t.equal(answer.status, status, `${JSON.stringify(sent)} for ${accept}`);
      t.notOk('data' in answer.json);
    }
  }
});

t.test('GET takes the same parameters, each once', async (t) => {
  const search = (rest: Record<string, string>): Sent => ({ search: { query: '{ __typename }', ...rest } });
  t.same((await send(server.url, search({}))).json, ANSWER);
  t.same(
    (await send(server.url, search({ variables: '', extensions: '', operationName: '' }))).json,
    ANSWER,
    'what is empty is not given',
  );
  t.same((await send(server.url, search({ variables: '{}', extensions: '{"a":1}' }))).json, ANSWER);
  t.same((await send(server.url, search({ variables: 'null', extensions: 'null' }))).json, ANSWER);
  const named = { query: 'query A($n: Int!) { a: campaigns(first: $n) { totalCount } } query B { b: __typename }' };
  const get = { search: { ...named, operationName: 'A', variables: '{"n":3}' } };
  t.same((await send(server.url, get)).json, { data: { a: { totalCount: 0 } } });
  for (const [name, value] of [
    ['variables', '['],
    ['variables', '[]'],
    ['variables', '"x"'],
    ['extensions', 'x'],
    ['extensions', '0'],
  ] as const) {
    const answer = await send(server.url, search({ [name]: value }));
    t.same([answer.status, codes(answer)], [400, ['BAD_REQUEST']], `${name}=${value}`);
  }
  const query = encodeURIComponent('{ __typename }');
  const twice = [
    `query=${query}&query=${query}`,
    `query=${query}&variables=%7B%7D&variables=%7B%7D`,
    `query=${query}&extensions=%7B%7D&extensions=%7B%7D`,
    `query=${query}&operationName=A&operationName=A`,
    `documentId=a&documentId=b`,
    '',
    'query=',
    'query',
  ];
  for (const search of twice) {
    const answer = await send(server.url, { path: `/graphql?${search}` });
    t.same([answer.status, codes(answer)], [400, ['BAD_REQUEST']], `?${search}`);
  }
  const both = await send(server.url, { path: `/graphql?query=${query}`, body: { query: '{ other: __typename }' } });
  t.same(both.json, { data: { other: 'Query' } }, 'a POST is its body');
  const body = await send(server.url, { method: 'GET', body: BODY });
  t.equal(body.status, 400, 'and a GET is its URL');
});

t.test('HEAD answers as GET would, OPTIONS what is allowed, and other methods 405', async (t) => {
  const head = await send(server.url, { method: 'HEAD', search: BODY });
  t.same([head.status, head.text, typeOf(head.headers)], [200, '', 'application/json; charset=utf-8']);
  t.equal(head.headers['content-length'], String(JSON.stringify(ANSWER).length));
  t.equal((await send(server.url, { method: 'HEAD' })).status, 400);
  const options = await send(server.url, { method: 'OPTIONS' });
  t.same([options.status, options.headers.allow, options.text], [204, 'GET, HEAD, POST', '']);
  t.notOk(Object.keys(options.headers).some((name) => name.startsWith('access-control-')));
  for (const method of ['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'QUERY']) {
    for (const sent of [{ method }, { method, body: BODY }]) {
      const answer = await send(server.url, sent);
      t.same(
        [answer.status, answer.headers.allow, codes(answer)],
        [405, 'GET, HEAD, POST', ['METHOD_NOT_ALLOWED']],
        method,
      );
    }
  }
  for (const method of ['GET', 'HEAD']) {
    const answer = await send(server.url, { method, search: { query: 'mutation { __typename }' } });
    t.same([answer.status, answer.headers.allow], [405, 'POST'], `a mutation by ${method}`);
  }
  t.same(codes(await send(server.url, { search: { query: 'mutation { __typename }' } })), ['METHOD_NOT_ALLOWED']);
});

t.test('nothing is found elsewhere', async (t) => {
  for (const path of ['/', '/graphql/', '/GRAPHQL', '/graphql/x', '/nope', '/graphiql', '/metrics', '/..%2fgraphql']) {
    for (const sent of [{ path }, { path, body: BODY }, { path, method: 'DELETE' }]) {
      const answer = await send(server.url, sent);
      t.same([answer.status, codes(answer)], [404, ['NOT_FOUND']], `${sent.method ?? ''} ${path}`);
    }
  }
  const bad = await send(server.url, { path: '/%zz' });
  t.same([bad.status, codes(bad)], [400, ['BAD_REQUEST']]);
  t.equal((await send(server.url, { path: '//graphql?query={__typename}' })).status, 404);
});
