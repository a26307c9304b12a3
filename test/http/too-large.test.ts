import { request } from 'node:http';
import { type Test, t } from 'tap';
import { findOrInstall } from '../../src/cli/services/install.ts';
import { runProgram } from '../../src/cli/services/run-program.ts';
import { freshDatabase } from '../support/services.ts';
import { startProcess } from './child.ts';

const APP = 'https://app.example';
const LIMIT = 100_000;

// In a process of its own: what a client sends must not wait for what the server does.
const server = await startProcess(
  t,
  { database: await freshDatabase(t), redis: null },
  { BODY_LIMIT_BYTES: String(LIMIT), CORS_ORIGINS: APP, REQUEST_TIMEOUT_MS: '60000' },
);

/** Much more than the buffers of both sides hold. */
const BODY = Buffer.from(JSON.stringify({ query: `{ __typename } #${'x'.repeat(10_000_000)}` }));
const HEADERS = { 'content-type': 'application/json', origin: APP };

/** What each client got: status, whether a page may read it, and what it says. */
interface Answer {
  readonly status: number;
  readonly origin: string | null;
  readonly text: string;
}

function byNodeHttp(chunked: boolean, _t: Test, connection = 'keep-alive'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { ...HEADERS, connection, ...(chunked ? {} : { 'content-length': BODY.length }) };
    const sent = request(`${server.url}/graphql`, { method: 'POST', headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('error', reject);
      response.once('end', () => {
        const origin = response.headers['access-control-allow-origin'] ?? null;
        resolve({ status: response.statusCode ?? 0, origin, text });
      });
    });
    sent.once('error', reject);
    for (let at = 0; at < BODY.length; at += 65_536) sent.write(BODY.subarray(at, at + 65_536));
    sent.end();
  });
}

async function byFetch(chunked: boolean): Promise<Answer> {
  const body = chunked ? new Blob([BODY]).stream() : BODY;
  const init = { method: 'POST', headers: HEADERS, body, duplex: 'half' } as const;
  const response = await fetch(`${server.url}/graphql`, init);
  const origin = response.headers.get('access-control-allow-origin');
  return { status: response.status, origin, text: await response.text() };
}

async function byCurl(chunked: boolean, t: Test): Promise<Answer> {
  const curl = await findOrInstall('curl');
  const headers = { ...HEADERS, expect: '', ...(chunked ? { 'transfer-encoding': 'chunked' } : {}) };
  const options = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const directory = t.testdir({ body: BODY });
  const args = ['-sS', '-i', '--data-binary', `@${directory}/body`, ...options, `${server.url}/graphql`];
  const { code, said } = await runProgram(curl, args, {});
  t.equal(code, 0, said.slice(0, 500));
  const [head = '', text = ''] = said.split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
    origin: /^access-control-allow-origin: (.*)$/im.exec(head)?.[1] ?? null,
    text,
  };
}

const CLIENTS = {
  'node:http': byNodeHttp,
  'node:http, which keeps no connection,': (chunked: boolean, t: Test) => byNodeHttp(chunked, t, 'close'),
  fetch: byFetch,
  curl: byCurl,
};

for (const [name, ask] of Object.entries(CLIENTS)) {
  for (const chunked of [false, true]) {
    t.test(`${name} hears that a body is too large while it sends it${chunked ? ' in chunks' : ''}`, async (t) => {
      for (let i = 0; i < 8; i += 1) {
        const { status, origin, text } = await ask(chunked, t);
        t.same([status, origin, JSON.parse(text).errors[0].extensions.code], [413, APP, 'PAYLOAD_TOO_LARGE']);
      }
    });
  }
}
