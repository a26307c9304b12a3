import { createHash, createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import type { CacheCounts } from '../../src/trace/cache-counts.ts';
import { globalId, makeData } from './data.ts';
import { startServer, type TestStack } from './server.ts';
import type { TestRedis } from './services.ts';
import { until } from './until.ts';

const SECRET = 'a secret that is long enough for a key';

/** The one document that the server trusts. */
const PAGES =
  'query Pages { campaigns(first: 5) { nodes { title brand { name } events(first: 2) { nodes { title } } } } }';

/**
 * A bearer token (RFC 7519) that may write.
 *
 * @param secret what it is signed with
 * @returns the token
 */
export function writerToken(secret: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'tester', scope: 'write' })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/**
 * Starts a server with some data that trusts one document, takes writes and audits every hit.
 *
 * @param t the test that it is for
 * @param env more variables
 * @returns the server
 */
export async function startMeasured(
  t: Test,
  env: Readonly<Record<string, string>> = {},
): Promise<TestStack<TestRedis>> {
  const file = join(t.testdir({}), 'documents.json');
  writeFileSync(file, JSON.stringify({ [createHash('sha256').update(PAGES).digest('hex')]: PAGES }));
  const server = await startServer(t, {
    env: {
      TRUSTED_DOCUMENTS_FILE: file,
      JWT_SECRET: SECRET,
      SELF_AUDIT_RATE: '1',
      MAX_STALENESS_MS: '1500',
      MEMORY_TTL_MS: '200',
      ...env,
    },
  });
  await makeData(server.sql, { brands: 2, campaigns: 10, events: 30, perCampaign: 5 });
  await server.database.drained();
  return server;
}

/**
 * Does a bit of everything: cold and warm pages, reads by id from every tier, a negative, a write, changes behind the
 * server's back, a body of an old version, an error.
 *
 * @param server the server
 * @returns how often the trusted operation ran
 */
export async function makeTraffic(server: TestStack<TestRedis>): Promise<{ operations: number }> {
  let operations = 0;
  const must = async (document: string, headers: Record<string, string> = {}) => {
    if (document === PAGES) operations += 1;
    const answer = await server.query(document, undefined, headers);
    if (answer.errors !== undefined) throw new Error(answer.text);
    return answer;
  };
  /** What the caches of an entity did for a query. */
  const countsOf = async (entity: string, document: string) => {
    const { extensions = {} } = await must(document, { 'x-inspect': '1' });
    return (extensions.dataFetching as { cache: Record<string, Partial<CacheCounts>> }).cache[entity] ?? {};
  };
  const node = (id: number) => `{ node(id: "${globalId('Brand', id)}") { id ... on Brand { name } } }`;
  await must(PAGES);
  await must(PAGES);
  await must(PAGES, { 'x-inspect': '1', 'x-cache': 'bypass' });
  // Memory keeps nothing for long, and a busy machine may stand still for longer.
  await until('memory answers', async () => ((await countsOf('Brand', node(1))).memoryHits ?? 0) > 0);
  await until('memory has nothing', async () => ((await countsOf('Brand', node(999))).memoryNegatives ?? 0) > 0);
  const input = `{ id: "${globalId('Brand', 1)}", name: "Brand ${Date.now()}" }`;
  await must(`mutation { updateBrand(input: ${input}) { brand { name } } }`, {
    authorization: `Bearer ${writerToken(SECRET)}`,
  });
  await until('Redis has an old version', async () => {
    await changeBehindItsBack(server);
    return ((await countsOf('Campaign', PAGES)).stale ?? 0) > 0;
  });
  await until('memory has grown old and Redis answers', async () => {
    const counts = await countsOf('Brand', node(2));
    return counts.hits === 1 && counts.memoryHits === 0;
  });
  await server.query('{ nothing }');
  return { operations };
}

/** Changes a row that is cached, and puts the old body back into Redis. */
async function changeBehindItsBack({ sql, redis, database }: TestStack<TestRedis>): Promise<void> {
  const client = new Redis(redis.url);
  try {
    const old = (await client.get('Campaign-1')) ?? '';
    await sql`update campaigns set body = body || '.' where id = 1`;
    await database.drained();
    await client.set('Campaign-1', old, 'PX', 60_000);
  } finally {
    client.disconnect();
  }
}

/**
 * @param server the server
 * @returns its metrics in Prometheus' text format
 */
export async function scrape({ metricsUrl }: Pick<TestStack<null>, 'metricsUrl'>): Promise<string> {
  const response = await fetch(metricsUrl);
  if (!response.ok) throw new Error(`${metricsUrl} answered ${response.status}`);
  return response.text();
}

/**
 * @param text metrics in Prometheus' text format
 * @returns the series, each as its name and its labels
 */
export function seriesOf(text: string): string[] {
  return [...text.matchAll(/^([a-z]\w*(?:\{.*\})?) \S+$/gm)].map(([, series = '']) => series);
}
