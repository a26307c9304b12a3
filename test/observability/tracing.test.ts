import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Test, t } from 'tap';
import { makeData } from '../support/data.ts';
import { startServer } from '../support/server.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

/** Takes what is sent by OTLP over HTTP. */
async function startCollector(t: Test) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

t.test('without a collector nothing of it is loaded', async (t) => {
  const server = await startServer(t, { redis: null });
  await server.ask('{ brands(first: 1) { totalCount } }');
  await server.close();
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  t.ok(
    loaded.some((file) => file.includes('prom-client')),
    'what is loaded can be seen',
  );
  // prom-client loads the API, which does nothing by itself.
  t.same(
    loaded.filter((file) => /@fastify\/otel|@opentelemetry\/(?!api)/.test(file)),
    [],
  );
});

t.test('a request is a span of the caller‘s trace, and what it does are spans below it', async (t) => {
  const collector = await startCollector(t);
  const server = await startServer(t, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  await makeData(server.sql, { brands: 2, campaigns: 5, events: 10, perCampaign: 2 });
  const document = '{ campaigns(first: 5) { nodes { title events(first: 2) { nodes { title } } } } }';
  const { errors } = await server.query(document, undefined, { traceparent: `00-${TRACE}-${PARENT}-01` });
  t.equal(errors, undefined);
  const secret = 'sEcReT-vAlUe';
  await fetch(`${server.url}/graphql?query=${secret}`, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  await fetch(`${server.url}/readyz`);
  await server.close();

  t.ok(collector.received.length > 0);
  const [first] = collector.received;
  t.equal(first?.path, '/v1/traces');
  t.equal(first?.headers['content-type'], 'application/x-protobuf');
  const body = Buffer.concat(collector.received.map((request) => request.body));
  // A span is protobuf: its names are in it as they are, and ids as bytes.
  const count = (part: string | Buffer) =>
    body.toString('latin1').split(Buffer.from(part).toString('latin1')).length - 1;
  for (const name of ['Campaign.all', 'Campaign.byIds', 'Event.ofCampaign', 'Event.byIds', 'MGET', 'larderFill']) {
    t.ok(count(name) > 0, name);
  }
  t.ok(count('db.query.text') >= 4);
  t.ok(count('postgresql') >= 4);
  t.ok(count('larder') > 0, 'the service');
  t.ok(count(Buffer.from(TRACE, 'hex')) >= 10, 'all belong to the caller‘s trace');
  t.ok(count(Buffer.from(PARENT, 'hex')) >= 2, 'below the caller‘s span');
  t.equal(count(secret), 0);
  t.equal(count('readyz'), 0);
});

t.test('what requests of one turn do is told to the trace of each', async (t) => {
  const collector = await startCollector(t);
  const server = await startServer(t, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  await makeData(server.sql, { brands: 1, campaigns: 40, events: 1, perCampaign: 0 });
  const document = 'query ($id: ID!) { campaign(id: $id) { title brand { name } } }';
  const traces = Array.from({ length: 40 }, (_, i) => TRACE.slice(0, -2) + String(i + 10));
  // Brands are in the caches before, so that all requests do the same.
  await server.query('{ brands(first: 1) { nodes { name } } }');
  await Promise.all(
    traces.map(async (trace, i) => {
      const id = Buffer.from(`Campaign:${i + 1}`).toString('base64');
      const { errors } = await server.query(document, { id }, { traceparent: `00-${trace}-${PARENT}-01` });
      t.equal(errors, undefined);
    }),
  );
  await server.close();
  const told = Buffer.concat(collector.received.map(({ body }) => body)).toString('latin1');
  const spans = traces.map((trace) => told.split(Buffer.from(trace, 'hex').toString('latin1')).length - 1);
  // Of its own, for the request and its handler, each has two.
  t.ok(Math.min(...spans) > 2, `${spans.join(', ')} spans: those of Redis or Postgres, too`);
});

t.test('a collector that is not there harms nobody', async (t) => {
  const server = await startServer(t, { redis: null, env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' } });
  t.same(await server.ask('{ brands(first: 1) { totalCount } }'), { brands: { totalCount: 0 } });
  await server.close();
});
