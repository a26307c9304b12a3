import { Agent, request } from 'node:http';
import { t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { type ServerProcess, startProcess } from './child.ts';

const CAMPAIGNS = 50;
const CONNECTIONS = 32;
const REQUESTS = 4000;
const ATTEMPTS = 12;

/** How much of the old generation a request may use up, in bytes; when requests were kept, nested pages used 4,600 to 8,700. */
const LEFT_BY_A_REQUEST = 2500;

/**
 * As large from the start as it becomes: while it is small, much is taken for old that is not. And as with `npm start`, V8 makes nothing old
 * from its beginning because such things grew old before, on a machine that was busy for a moment.
 */
const YOUNG_GENERATION = ['--min-semi-space-size=16', '--max-semi-space-size=16', '--no-allocation-site-pretenuring'];

const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
await makeData(openSql(t, database), { brands: 5, campaigns: CAMPAIGNS, events: 200, perCampaign: 10 });

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
t.teardown(() => agent.destroy());

const QUERIES = {
  'an entity by id': (i: number) =>
    `{ campaign(id: "${globalId('Campaign', 1 + (i % CAMPAIGNS))}") { id title brand { id name } } }`,
  'a nested page': () => '{ campaigns(first: 5) { nodes { id title events(first: 2) { nodes { id title } } } } }',
};

/** Asks so often, on all connections at once. */
async function ask(url: string, query: (i: number) => string, times: number): Promise<void> {
  let asked = 0;
  const one = (i: number) =>
    new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
        response.resume().once('error', reject);
        response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('not answered'))));
      });
      sent.once('error', reject);
      sent.end(JSON.stringify({ query: query(i) }));
    });
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let i = asked++; i < times; i = asked++) await one(i);
    }),
  );
}

/** How much of its old generation is in use, in bytes, and how many full collections there were, as the process itself tells. */
async function heap({ metricsUrl }: ServerProcess): Promise<{ old: number; collections: number }> {
  const text = await (await fetch(metricsUrl)).text();
  const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    old: value(/^nodejs_heap_space_size_used_bytes\{space="old"\} (\S+)$/m),
    collections: value(/^nodejs_gc_duration_seconds_count\{kind="major"\} (\S+)$/m),
  };
}

/** How much of the old generation each of some requests used up, in bytes; `null` when a full collection has hidden that. */
async function leftBy(server: ServerProcess, query: (i: number) => string): Promise<number | null> {
  // What a full collection finds is old from then on, such as the table of a set or map.
  await server.heapAfterGc();
  const before = await heap(server);
  await ask(server.url, query, REQUESTS);
  const after = await heap(server);
  return after.collections === before.collections ? (after.old - before.old) / REQUESTS : null;
}

for (const [tiers, env] of Object.entries({ 'both tiers': {}, 'Redis alone': { MEMORY_MAX_ENTRIES: '0' } })) {
  t.test(`what a request leaves behind goes with the young: ${tiers}`, async (t) => {
    const server = await startProcess(t, { database, redis }, { LOG_LEVEL: 'warn', ...env }, YOUNG_GENERATION);
    for (const [name, query] of Object.entries(QUERIES)) {
      await ask(server.url, query, 3000);
      // Where others keep the machine busy, requests wait and grow old. That only adds: what is kept is there each time.
      let least = Number.POSITIVE_INFINITY;
      for (let attempt = 1; least >= LEFT_BY_A_REQUEST && attempt <= ATTEMPTS; attempt += 1)
        least = Math.min(least, (await leftBy(server, query)) ?? least);
      t.ok(least < LEFT_BY_A_REQUEST, `${name}: ${least.toFixed(0)} bytes for each request`);
    }
  });
}
