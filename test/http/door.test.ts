import { createSigner } from 'fast-jwt';
import { t } from 'tap';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { startProcess } from './child.ts';
import { codes, openRaw, send } from './client.ts';

const SECRET = 'a secret of at least thirty-two characters';
const APP = 'https://app.example';
const closed = await startServer(t, { redis: null });
const open = await startServer(t, {
  redis: null,
  env: { CORS_ORIGINS: `${APP}, https://other.example:8443`, JWT_SECRET: SECRET },
});

const BODY = { query: '{ __typename }' };
const ANSWER = { data: { __typename: 'Query' } };

/** The headers of CORS among those of a response. */
const cors = (headers: Readonly<Record<string, string | undefined>>) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

t.test('no page of another origin reads anything unless it is configured', async (t) => {
  for (const origin of [APP, 'null', closed.url, 'http://localhost:3000']) {
    const answer = await send(closed.url, { body: BODY, headers: { origin } });
    t.same([answer.status, cors(answer.headers)], [200, []], origin);
    const preflight = await send(closed.url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
    t.same([preflight.status, cors(preflight.headers)], [204, []], 'nor may it send JSON');
  }
});

t.test('the pages of configured origins may read and write, and no others', async (t) => {
  for (const origin of [APP, 'https://other.example:8443']) {
    const preflight = await send(open.url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, authorization',
      },
    });
    t.equal(preflight.status, 204);
    t.equal(preflight.headers['access-control-allow-origin'], origin);
    t.equal(preflight.headers['access-control-allow-methods'], 'GET, POST');
    t.equal(preflight.headers['access-control-max-age'], '7200', 'and need not be asked again for two hours');
    t.match(preflight.headers.vary, /origin/i);
    t.match(preflight.headers['access-control-allow-headers'], /content-type.*authorization/);
    t.equal(preflight.headers['access-control-allow-credentials'], undefined, 'cookies mean nothing here');
    const token = createSigner({ key: SECRET })({ sub: 'x' });
    const cases = [
      { body: BODY },
      { search: BODY },
      { body: BODY, headers: { 'sec-fetch-site': 'cross-site' } },
      { search: BODY, headers: { 'sec-fetch-site': 'same-site' } },
      { body: BODY, headers: { authorization: `Bearer ${token}` } },
      { body: { query: '{' }, headers: { accept: 'application/graphql-response+json' } },
      { body: BODY, headers: { authorization: 'Bearer x' } },
      { body: { query: 'x'.repeat(1_100_000) } },
      { body: BODY, headers: { 'content-type': 'application/x' } },
      { body: '{', headers: { 'content-type': 'application/json' } },
      { body: BODY, headers: { accept: 'text/html' } },
      { body: BODY, method: 'DELETE' },
      { path: '/graphql/%zz' },
      { path: '/graphql?query=%zz' },
    ];
    for (const { headers = {}, ...sent } of cases) {
      const answer = await send(open.url, { ...sent, headers: { ...headers, origin } as Record<string, string> });
      t.equal(answer.headers['access-control-allow-origin'], origin, `an answer with ${answer.status} can be read`);
      t.match(answer.headers['access-control-expose-headers'], /retry-after.*www-authenticate/);
      const vary = String(answer.status === 200 ? answer.headers.vary : `${answer.headers.vary}, accept, authorization`)
        .toLowerCase()
        .split(/, */);
      t.same(
        ['accept', 'authorization', 'origin'].filter((name) => !vary.includes(name)),
        [],
        'caches keep answers apart',
      );
    }
  }
  for (const origin of [
    'https://evil.example',
    'http://app.example',
    `${APP}.evil.example`,
    `${APP}:444`,
    'null',
    `${APP}/`,
  ]) {
    const answer = await send(open.url, { body: BODY, headers: { origin } });
    t.equal(answer.headers['access-control-allow-origin'], undefined, origin);
    const preflight = await send(open.url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    t.equal(preflight.headers['access-control-allow-origin'], undefined);
  }
});

t.test('what a page of another site can send without asking is refused', async (t) => {
  const text = JSON.stringify(BODY);
  // The three types of forms, and none at all (WHATWG HTML, form submission; Fetch, CORS-safelisted headers).
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain; charset=utf-8',
    '',
  ]) {
    for (const server of [closed, open]) {
      const headers = { 'content-type': type, origin: 'https://evil.example', cookie: 'session=1' };
      const answer = await send(server.url, { body: text, headers });
      t.same([answer.status, codes(answer)], [415, ['UNSUPPORTED_MEDIA_TYPE']], type);
    }
  }
  const allowed = { 'same-origin': 200, none: 200, 'cross-site': 403, 'same-site': 403 };
  for (const [site, status] of Object.entries(allowed)) {
    for (const sent of [{ body: BODY }, { search: BODY }, { search: BODY, method: 'HEAD' }]) {
      const headers = { 'sec-fetch-site': site, origin: 'https://evil.example' };
      t.equal((await send(closed.url, { ...sent, headers })).status, status, site);
      t.equal((await send(open.url, { ...sent, headers })).status, status);
    }
  }
  const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
  t.same(codes(await send(open.url, { search: BODY, headers: image })), ['CROSS_SITE'], 'an image has no origin');
});

t.test('browsers are told to make nothing of a response', async (t) => {
  const answers = [
    await send(closed.url, { body: BODY }),
    await send(closed.url, { search: { query: '{' } }),
    await send(closed.url, { body: 'x', headers: { 'content-type': 'text/plain' } }),
  ];
  for (const { headers } of answers) {
    t.equal(headers['content-security-policy'], "default-src 'none'");
    t.equal(headers['x-content-type-options'], 'nosniff');
    t.equal(headers['x-frame-options'], 'SAMEORIGIN');
    t.equal(headers['referrer-policy'], 'no-referrer');
    t.equal(headers['cross-origin-resource-policy'], 'same-origin');
    t.match(headers['strict-transport-security'], /max-age=\d{8}/);
    t.equal(headers['cache-control'], 'no-store');
    t.equal(headers['x-powered-by'], undefined);
    for (const ofPages of ['cross-origin-opener-policy', 'origin-agent-cluster', 'x-xss-protection']) {
      t.equal(headers[ofPages], undefined, `${ofPages} is for pages`);
    }
    t.equal(headers.server, undefined);
  }
  const missing = await send(closed.url, { path: '/nope' });
  t.match(missing.headers['content-type'], /^application\/json/);
});

t.test('two requests are not read as one, nor one as two', async (t) => {
  const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const body = JSON.stringify(BODY);
  const hidden = `GET /graphql?query={hidden:__typename} HTTP/1.1\r\nhost: x\r\n\r\n`;
  const raw = {
    'a length and chunks': `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    'two lengths': `${head}content-length: 5\r\ncontent-length: 6\r\n\r\n${body}${hidden}`,
    'a length in letters': `${head}content-length: +5\r\n\r\n${body}${hidden}`,
    'a length that is negative': `${head}content-length: -1\r\n\r\n${body}${hidden}`,
    'chunks spelled otherwise': `${head}transfer-encoding: xchunked\r\n\r\n${body}${hidden}`,
    'chunks, and not last': `${head}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
    'a chunk whose size is none': `${head}transfer-encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n${hidden}`,
    'a space before the colon': `${head}content-length : 5\r\n\r\n${body}${hidden}`,
    'a header on two lines': `${head}x: a\r\n content-length: 5\r\n\r\n${hidden}`,
    'a line feed alone': `POST /graphql HTTP/1.1\nhost: x\ncontent-length: 5\n\n${body}${hidden}`,
    'a NUL in a header': `${head}x: a\0b\r\n\r\n${hidden}`,
    'no host': `GET /graphql?query={hidden:__typename} HTTP/1.1\r\n\r\n`,
  };
  for (const [name, bytes] of Object.entries(raw)) {
    const connection = await openRaw(t, closed.url, bytes);
    connection.socket.end();
    await connection.closed;
    t.notMatch(connection.text(), 'hidden', name);
    t.match(connection.text(), /^(HTTP\/1\.1 4\d\d |$)/);
    t.notMatch(connection.text(), / 200 OK/);
  }
  const two = `${head}content-length: ${body.length}\r\n\r\n${body}${hidden.replace('host: x', 'host: x\r\nconnection: close')}`;
  const pipelined = await openRaw(t, closed.url, two);
  await pipelined.closed;
  t.match(pipelined.text(), /"__typename":"Query"[\s\S]*"hidden":"Query"/, 'two that are two are answered in order');
});

t.test('a request that should be upgraded is answered as it is', async (t) => {
  const upgrade = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': btoa('x'.repeat(16)),
  };
  t.same((await send(closed.url, { search: BODY, headers: upgrade })).json, ANSWER);
  const h2c = { connection: 'upgrade, http2-settings', upgrade: 'h2c', 'http2-settings': '' };
  t.same((await send(closed.url, { search: BODY, headers: h2c })).json, ANSWER);
  t.equal((await send(closed.url, { body: BODY, headers: { expect: '100-continue' } })).status, 200);
  t.equal((await send(closed.url, { body: BODY, headers: { expect: 'nonsense' } })).status, 417);
  t.equal((await send(closed.url, { search: BODY, headers: { 'x-http-method-override': 'DELETE' } })).status, 200);
});

t.test('a page that is refused is told about in the log, each origin once', async (t) => {
  const env = { CORS_ORIGINS: `${APP}/`, LOG_LEVEL: 'warn' };
  const server = await startProcess(t, { database: closed.database, redis: null }, env);
  const told = () =>
    server
      .output()
      .split('\n')
      // The last may have come in part.
      .slice(0, -1)
      .filter((line) => line.includes('CORS_ORIGINS'))
      .map((line) => (JSON.parse(line) as { origin: string }).origin);
  const ask = (headers: Record<string, string>, method = 'POST') =>
    send(server.url, method === 'OPTIONS' ? { method, headers } : { body: BODY, headers });
  const preflight = { 'access-control-request-method': 'POST' };
  await ask({ origin: APP });
  await ask({ origin: server.url });
  await ask({ origin: 'https://seen.example', 'sec-fetch-site': 'same-origin' });
  await ask({});
  await ask({ origin: 'https://one.example', ...preflight }, 'OPTIONS');
  await ask({ origin: 'https://one.example', 'sec-fetch-site': 'cross-site' });
  await ask({ origin: 'null' });
  await ask({ origin: 'http://127.0.0.1:1' });
  const first = ['https://one.example', 'null', 'http://127.0.0.1:1'];
  await until('they are told about', async () => told().length === first.length);
  t.same(told(), first);
  for (let i = 0; i < 150; i += 1) await ask({ origin: `https://${i}.example` });
  await ask({ origin: `https://${'x'.repeat(5000)}.example` });
  await until('the last is told about', async () => told().length === 100);
  t.match(server.output(), /no more origins are told of/, 'whoever makes some up does not fill the disk');
});
