import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { createYoga } from 'graphql-yoga';
import mercurius from 'mercurius';
import { type Test, t } from 'tap';
import { createLarder } from '../../src/index.ts';
import { encodeGlobalId } from '../../src/pothos/index.ts';
import { columnsKnown } from '../support/columns-known.ts';
import { freshDatabase, freshRedis, REDIS_PATIENCE_MS } from '../support/services.ts';
import { counted, openSql } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { entities, fillLibrary, librarySchema } from './library.ts';

const AUTHORS = 20;
const BOOKS_EACH = 6;
const PAGES = [
  { n: 1, m: 1 },
  { n: 5, m: 3 },
  { n: 20, m: 6 },
];

const schema = librarySchema();
const open = (database: string, redis: string, prefix: string) =>
  createLarder({
    entities,
    postgres: { url: database },
    redis: { url: redis, timeoutMs: REDIS_PATIENCE_MS },
    cache: { prefix, selfAuditRate: 0, maxStalenessMs: 60_000, memoryTtlMs: 30_000 },
  });
type Larder = Awaited<ReturnType<typeof open>>;

/** Serves the library, and says at which URL. */
type Serve = (t: Test, larder: Larder) => Promise<string>;

const servers: Record<string, Serve> = {
  'GraphQL Yoga': async (t, larder) => {
    const yoga = createYoga({ schema, context: () => larder.createContext(), logging: false });
    const server = createServer((request, response) => void yoga(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  },
  'a bare mercurius': async (t, larder) => {
    const app = Fastify();
    await app.register(mercurius, { schema, context: () => larder.createContext() });
    t.teardown(() => app.close());
    return `${await app.listen({ port: 0, host: '127.0.0.1' })}/graphql`;
  },
};

/** Asks what must succeed. */
async function ask(url: string, query: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data: Record<string, unknown>; errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

/** The nested page as it must be. */
const nested = (n: number, m: number) => ({
  authors: {
    totalCount: AUTHORS,
    pageInfo: { hasNextPage: n < AUTHORS },
    nodes: Array.from({ length: n }, (_, a) => ({
      name: `Author ${a + 1}`,
      books: {
        edges: Array.from({ length: m }, (_, b) => ({
          node: { title: `Book ${a + b * AUTHORS}`, author: { name: `Author ${a + 1}` } },
        })),
      },
    })),
  },
});

for (const [name, serve] of Object.entries(servers)) {
  t.test(`${name} serves nodes, connections and batches for as few statements as Larder's own server`, async (t) => {
    const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
    await fillLibrary(openSql(t, database), AUTHORS, BOOKS_EACH);
    const stores = { database, redis };
    for (const { n, m } of PAGES) {
      const larder = await open(database.url, redis.url, `${n}:`);
      t.teardown(larder.close);
      await columnsKnown(larder);
      const url = await serve(t, larder);
      const page = `{ authors(first: ${n}) { totalCount pageInfo { hasNextPage }
        nodes { name books(first: ${m}) { edges { node { title author { name } } } } } } }`;
      const uncounted = page.replace('totalCount', '');
      const cold = await counted(stores, () => ask(url, uncounted));
      t.equal(cold.sql, 4, `${n} × ${m}, cold: ${JSON.stringify(cold.statements)}`);
      const warm = await counted(stores, () => ask(url, uncounted));
      t.equal(warm.sql, 2, `${n} × ${m}, warm: ${JSON.stringify(warm.statements)}`);
      t.same(warm.answer, cold.answer);
      t.same(await ask(url, page), nested(n, m));

      const author = (id: number) => `{ author(id: "${encodeGlobalId('Author', String(id))}") { name } }`;
      await until('caches answer by id', async () => {
        const context = larder.createContext();
        await context.repositories.Author.findById('1', context.scope);
        return context.scope.trace.sql.statements === 0;
      });
      if (n < AUTHORS) {
        const cold = await counted(stores, () => ask(url, author(AUTHORS)));
        t.equal(cold.sql, 1, `by id, cold: ${JSON.stringify(cold.statements)}`);
        t.same(cold.answer, { author: { name: `Author ${AUTHORS}` } });
      }
      const again = await counted(stores, () => ask(url, author(1)));
      t.equal(again.sql, 0, `by id, warm: ${JSON.stringify(again.statements)}`);
      const nodes = `{ node(id: "${encodeGlobalId('Book', '1')}") { id ... on Book { title } }
        nodes(ids: ["${encodeGlobalId('Author', '2')}", "nothing", "${encodeGlobalId('Author', '1')}"]) { ... on Author { name } } }`;
      t.same(await ask(url, nodes), {
        node: { id: encodeGlobalId('Book', '1'), title: 'Book 0' },
        nodes: [{ name: 'Author 2' }, null, { name: 'Author 1' }],
      });
    }
  });
}
