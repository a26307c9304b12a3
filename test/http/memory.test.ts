import { t } from 'tap';
import { globalId } from '../support/data.ts';
import { openSql } from '../support/server.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { startProcess } from './child.ts';

/** A heap of so many MB has no room for the entities, which are kept by themselves and in pages. */
const HEAP_MB = 128;
const ENTITIES = 5000;
const CHARACTERS = 20_000;
const PAGE = 100;

/** What a query brings. */
interface Answer {
  readonly campaigns?: { readonly nodes: readonly { body: string }[]; readonly pageInfo: { endCursor: string } };
  readonly nodes?: readonly { body: string }[];
}

t.test('entities that are larger than the heap together do not end the process', async (t) => {
  const [database, redis] = await Promise.all([
    freshDatabase(t),
    freshRedis(t, ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru']),
  ]);
  const sql = openSql(t, database);
  await sql`insert into brands (id, name) values (1, 'Brand')`;
  // Half of them in characters that take two bytes each.
  await sql`
    insert into campaigns (id, brand_id, title, body)
    select i, 1, 'Campaign ' || i, repeat(case when i % 2 = 0 then 'a' else 'ж' end, ${CHARACTERS}::int)
    from generate_series(1, ${ENTITIES}::int) i`;
  await sql`truncate cache_outbox`;
  const server = await startProcess(t, { database, redis }, { MAX_COST: '100000' }, [
    `--max-old-space-size=${HEAP_MB}`,
  ]);
  const ask = async (query: string, variables: object): Promise<Answer> => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return ((await response.json()) as { data: Answer }).data;
  };
  let read = 0;
  const from = (first: number) => Array.from({ length: PAGE }, (_, i) => globalId('Campaign', first + i));
  let after: string | null = null;
  const list =
    'query ($after: String) { campaigns(first: 100, after: $after) { nodes { body } pageInfo { endCursor } } }';
  for (let first = 1; first < ENTITIES; first += PAGE) {
    const [page, byId]: Answer[] = await Promise.all([
      ask(list, { after }),
      ask('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Campaign { body } } }', { ids: from(first) }),
    ]);
    for (const { body } of [...(page?.campaigns?.nodes ?? []), ...(byId?.nodes ?? [])]) {
      if (body.length === CHARACTERS) read += 1;
    }
    after = page?.campaigns?.pageInfo.endCursor ?? null;
  }
  t.equal(read, 2 * ENTITIES, 'each was answered by the list and by its id');
  t.equal(server.exitCode(), null, server.output());
  const metrics = await (await fetch(server.metricsUrl)).text();
  const sum = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}\\{kind="\\w+"\\} (\\d+)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  t.ok(sum('larder_memory_entries') > 100, 'memory is used');
  t.ok(sum('larder_memory_bytes') > 100 * CHARACTERS, 'and says how much of it');
  t.ok(sum('larder_memory_bytes') < (HEAP_MB * 2 ** 20) / 3, 'which is a part of the heap');
});
