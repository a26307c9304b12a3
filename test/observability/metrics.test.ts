import { once } from 'node:events';
import { connect } from 'node:net';
import { t } from 'tap';
import { makeTraffic, scrape, seriesOf, startMeasured } from '../support/metrics.ts';
import { promtool } from '../support/prometheus.ts';
import { until } from '../support/server.ts';

const server = await startMeasured(t);

t.test('the metrics are on a port of their own, and as Prometheus wants them', async (t) => {
  await makeTraffic(server);
  t.equal((await fetch(`${server.url}/metrics`)).status, 404);
  const text = await scrape(server);
  const { status, said } = promtool(['check', 'metrics'], text);
  t.equal(status, 0);
  t.equal(said.trim(), '', 'promtool has nothing to say');
  const names = [...text.matchAll(/^# TYPE (larder_\w+) (\w+)$/gm)];
  t.ok(names.length > 20);
  for (const [, name = '', type] of names) {
    t.match(text, `# HELP ${name} `);
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
  }
});

t.test('they say what was done', async (t) => {
  const before = await scrape(server);
  const grown = (after: string, name: string, labels: Record<string, string>) =>
    sum(after, name, labels) - sum(before, name, labels);
  const { operations } = await makeTraffic(server);
  const after = await scrape(server);
  t.equal(grown(after, 'larder_request_duration_seconds_count', { operation: 'Pages', status: '200' }), operations);
  t.equal(grown(after, 'larder_response_size_bytes_count', { operation: 'Pages' }), operations);
  t.equal(grown(after, 'larder_request_cost_points_count', { operation: 'Pages' }), operations);
  t.equal(grown(after, 'larder_request_errors_total', { code: 'GRAPHQL_VALIDATION_FAILED' }), 1);
  t.ok(grown(after, 'larder_cache_requests_total', { tier: 'memory', result: 'hit' }) > 0);
  t.ok(grown(after, 'larder_cache_requests_total', { tier: 'memory', result: 'negative' }) > 0);
  t.ok(grown(after, 'larder_cache_requests_total', { tier: 'redis', result: 'hit' }) > 0);
  t.ok(grown(after, 'larder_cache_requests_total', { tier: 'postgres', result: 'miss' }) > 0);
  t.ok(grown(after, 'larder_cache_bypassed_total', { reason: 'cold' }) > 0);
  t.ok(grown(after, 'larder_cache_stale_total', {}) > 0);
  t.ok(grown(after, 'larder_cache_fills_total', {}) > 0);
  // Who took a lease may have lost it to an invalidation before it could fill.
  t.ok(grown(after, 'larder_cache_leases_total', { result: 'taken' }) >= grown(after, 'larder_cache_fills_total', {}));
  t.equal(grown(after, 'larder_cache_invalidations_total', { source: 'write' }), 1);
  t.ok(grown(after, 'larder_cache_invalidations_total', { source: 'outbox' }) > 0);
  t.ok(grown(after, 'larder_sql_duration_seconds_count', { statement: 'Campaign.all' }) > 0);
  t.ok(grown(after, 'larder_sql_rows_total', { statement: 'Event.byIds' }) > 0);
  t.ok(grown(after, 'larder_redis_duration_seconds_count', { command: 'MGET' }) > 0);
});

t.test('10,000 names that strangers give to operations add no series', async (t) => {
  await server.query('query Known { __typename }');
  const before = seriesOf(await scrape(server));
  await ask(Array.from({ length: 10_000 }, (_, i) => `query Name${i} { __typename }`));
  const text = await scrape(server);
  t.notMatch(text, 'Name');
  t.ok(sum(text, 'larder_request_duration_seconds_count', { operation: 'other', status: '200' }) >= 10_000);
  t.same(
    seriesOf(text).filter((series) => series.startsWith('larder_') && !before.includes(series)),
    [],
  );
});

/** Asks one question after the other on one connection, sending ahead: ten thousand calls of `fetch` take a minute. */
async function ask(documents: readonly string[]): Promise<void> {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let answered = 0;
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answered += chunk.split('HTTP/1.1 200').length - 1;
  });
  for (const [i, document] of documents.entries()) {
    const body = JSON.stringify({ query: document });
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    // The server answers no faster when more wait for it.
    if (i % 100 === 99) await until('the answers', async () => answered >= i - 100);
  }
  // A status line may have come in two pieces.
  await until('the last answers', async () => answered >= documents.length - 100);
  socket.end();
  await once(socket, 'close');
}

function sum(text: string, name: string, labels: Record<string, string>): number {
  let total = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}{`)) continue;
    if (!Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`))) continue;
    total += Number(line.slice(line.lastIndexOf(' ')));
  }
  return total;
}
