import { once } from 'node:events';
import { connect } from 'node:net';
import { t } from 'tap';
import { systemClock } from '../../src/clock.ts';
import { LIMITS } from '../../src/http/documents/limits.ts';
import { createMetricsApp } from '../../src/http/telemetry/metrics.ts';
import { openChannels } from '../../src/trace/channels.ts';
import { makeTraffic, scrape, seriesOf, startMeasured } from '../support/metrics.ts';
import { promtool } from '../support/prometheus.ts';
import { startServer } from '../support/server.ts';

const NAMES = 10_000;

/** What a process does from time to time, whoever asks. */
const UPKEEP = /statement="(Cache|Catalog)|command="(larderBeat|UNLINK)/;

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
  // Who took a lease may have lost it to an invalidation before it could fill; and who took one before may fill now.
  t.ok(sum(after, 'larder_cache_leases_total', { result: 'taken' }) >= sum(after, 'larder_cache_fills_total', {}));
  t.equal(grown(after, 'larder_cache_invalidations_total', { source: 'write' }), 1);
  t.ok(grown(after, 'larder_cache_invalidations_total', { source: 'outbox' }) > 0);
  t.ok(grown(after, 'larder_sql_duration_seconds_count', { statement: 'Campaign.all' }) > 0);
  t.ok(grown(after, 'larder_sql_rows_total', { statement: 'Event.byIds' }) > 0);
  t.ok(grown(after, 'larder_redis_duration_seconds_count', { command: 'MGET' }) > 0);
  t.ok(sum(after, 'larder_redis_duration_seconds_count', { command: 'larderBeat' }) > 0, 'heartbeats, too');
});

t.test('10,000 names that strangers give to operations add no series', async (t) => {
  await server.query('query Known { __typename }');
  const before = await scrape(server);
  // As many names to a document as it may have: what it costs to parse is not what this is about.
  const documents = Array.from({ length: NAMES / LIMITS.operations }, (_, document) => {
    const names = Array.from({ length: LIMITS.operations }, (_, i) => `Name${document}_${i}`);
    const query = names.map((name) => `query ${name} { __typename }`).join(' ');
    return names.map((operationName) => ({ query, operationName }));
  });
  for (let i = 0; i < documents.length; i += 5) await ask(documents.slice(i, i + 5).flat());
  const text = await scrape(server);
  t.notMatch(text, 'Name');
  for (const name of ['larder_request_duration_seconds', 'larder_response_size_bytes', 'larder_request_cost_points']) {
    const count = (of: string) => sum(of, `${name}_count`, { operation: 'other' });
    t.equal(count(text) - count(before), NAMES, `${name}: each once, however many wait to be observed together`);
  }
  const known = seriesOf(before);
  t.same(
    seriesOf(text).filter((series) => series.startsWith('larder_') && !known.includes(series) && !UPKEEP.test(series)),
    [],
  );
});

t.test('another server of the process counts nothing of it', async (t) => {
  const other = await startServer(t, { redis: null });
  await makeTraffic(server);
  const text = await scrape(other);
  t.ok(sum(text, 'larder_request_duration_seconds_count', { operation: 'other' }) === 0);
  t.equal(sum(text, 'larder_redis_duration_seconds_count', {}), 0);
  t.equal(sum(text, 'larder_cache_requests_total', {}), 0);
  t.equal(sum(text, 'larder_cache_invalidations_total', {}), 0);
  const statements = [...text.matchAll(/^larder_sql_duration_seconds_count\{statement="(\w+)/gm)];
  t.same(
    [...new Set(statements.map(([, of]) => of))].filter((of) => !/^(Cache|Catalog)/.test(of ?? '')),
    [],
  );
});

t.test('a thousand trusted operations are a hundred and others', async (t) => {
  const channels = openChannels();
  const metrics = createMetricsApp({
    entities: [],
    channels,
    version: '1.2.3',
    clock: systemClock,
    pool: () => ({}),
    breakerOpen: () => null,
    refused: () => null,
    memoryUse: () => ({}),
    silent: () => [],
    drains: true,
    outbox: () => null,
    maxStalenessMs: 0,
    memoryTtlMs: 0,
  });
  t.teardown(() => metrics.close());
  const done = { status: 200, ms: 1, bytes: 1, cost: 1, errors: [], trace: null };
  for (let i = 0; i < 1000; i += 1) channels.request.publish({ ...done, operation: `Operation${i}` });
  const text = (await metrics.inject('/metrics')).body;
  const counts = [...text.matchAll(/^larder_request_duration_seconds_count\{.*\} (\d+)$/gm)].map(([, n]) => Number(n));
  t.equal(counts.length, 101);
  t.equal(sum(text, 'larder_request_duration_seconds_count', { operation: 'other' }), 900);
  t.equal(
    counts.reduce((a, b) => a + b),
    1000,
    'each is counted',
  );
  t.match(text, /^larder_build_info\{version="1\.2\.3",node="\d+\.\d+\.\d+"\} 1$/m);
});

/** Asks on one connection without waiting for answers: ten thousand calls of `fetch` take a minute. */
async function ask(questions: readonly object[]): Promise<void> {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let said = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    said += chunk;
  });
  for (const [i, question] of questions.entries()) {
    const body = JSON.stringify(question);
    const connection = i === questions.length - 1 ? 'close' : 'keep-alive';
    const head = `host: ${host}\r\nconnection: ${connection}\r\ncontent-type: application/json`;
    socket.write(`POST /graphql HTTP/1.1\r\n${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  }
  await once(socket, 'close');
  const answered = said.split('{"data":{"__typename":"Query"}}').length - 1;
  if (answered !== questions.length) throw new Error(`${answered} of ${questions.length} were answered: ${said}`);
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
