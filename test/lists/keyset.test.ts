import { t } from 'tap';
import { listSource } from '../../src/entity/definition.ts';
import type { PageNeeds, PageQuery, Position } from '../../src/lists/page-request.ts';
import { analyze, entities, makeTables } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';
import { checkPlans } from './support/plans.ts';

const bookDefinition = entities.Book.define('Book');

const shelfDefinition = entities.Shelf.define('Shelf');

const BOOKS = 1_000_000;
const SHELVES = 5_000;

const database = await freshDatabase(t);
const sql = openSql(t, database);
const stores = { url: database.url, sql };
await makeTables(sql);
// The rows are right by construction, and the checks of each would take as long as all the rest.
await sql`set session_replication_role = replica`;
await sql`insert into libraries select i, 'Library ' || i from generate_series(1, 50) i`;
await sql`
  insert into shelves select i, case when i <= 2500 then 1 else 1 + i % 50 end, 'Shelf ' || i, repeat('x', 200)
  from generate_series(1, ${SHELVES}::int) i`;
// Ids do not follow the time, three books begin at once.
await sql`
  insert into books (id, title, body, published_at)
  select i, 'Book ' || i, repeat('x', 40), timestamptz '2026-01-01' + (i::bigint * 7919 % ${BOOKS}::int) / 3 * interval '1 minute'
  from generate_series(1, ${BOOKS}::int) i`;
// Shelf 1 has every book, the others have twenty each; book 1 is in every shelf.
await sql`
  insert into shelf_books
  select 1, published_at, id from books
  union all
  select c, e.published_at, e.id from generate_series(2, ${SHELVES}::int) c, generate_series(1, 20) k
    join books e on true where e.id = 1 + (c * 20 + k) % ${BOOKS - 1}::int and e.id <> 1
  union all
  select c, e.published_at, e.id from generate_series(2, ${SHELVES}::int) c join books e on e.id = 1`;
await sql`set session_replication_role = origin`;
await analyze(sql);

const NEEDS: PageNeeds = { rows: true, entities: false, positions: true, total: false, flags: true };

const page = (more: Partial<PageQuery>): PageQuery => ({
  order: 'PUBLISHED_AT',
  direction: 'ASC',
  limit: 20,
  backward: false,
  needs: NEEDS,
  ...more,
});

/** Filters of a list of books. */
const between = (from: string, to: string) =>
  [
    ['publishedAfter', from],
    ['publishedBefore', to],
  ] as const;

const [middle] = await sql<[{ key: string; id: string }]>`
  select published_at::text as key, book_id::text as id from shelf_books where shelf_id = 1
  order by published_at, book_id offset ${BOOKS / 2} limit 1`;
const place: Position = { key: middle.key, id: middle.id };
const placeById: Position = { key: null, id: String(BOOKS / 2) };

t.test('a page of a shelf of a million books', async (t) => {
  for (const order of ['PUBLISHED_AT', 'ID']) {
    const at = order === 'ID' ? placeById : place;
    for (const direction of ['ASC', 'DESC'] as const) {
      const cases: Record<string, Partial<PageQuery>> = {
        first: {},
        last: { backward: true },
        after: { after: at },
        before: { before: at },
        'last before': { before: at, backward: true },
        'last after': { after: at, backward: true },
        'of a range': { filters: between('2026-01-10T00:00:00Z', '2026-12-31T00:00:00Z') },
        'of a range, after': { filters: between('2026-01-10T00:00:00Z', '2026-12-31T00:00:00Z'), after: at },
        'last of a range, before': {
          filters: between('2026-01-01T00:00:00Z', '2026-06-20T00:00:00Z'),
          before: at,
          backward: true,
        },
        'of a hundred': { limit: 100 },
      };
      for (const [name, more] of Object.entries(cases)) {
        const request = page({ parent: '1', order, direction, ...more });
        // Which of two indexes is better for a range of one column in the order of another depends on the rows. Postgres chooses, and
        // otherwise when autovacuum has come by. Neither reads more than the shelf.
        const maySort = order === 'ID' && request.filters !== undefined;
        // A version costs a probe of four buffers, or five, for each row of the page.
        const maxBuffers = maySort ? 8000 : request.limit === 100 ? 600 : 200;
        await t.test(`${name}, by ${order} ${direction}`, (t) =>
          checkPlans(t, stores, listSource(bookDefinition, 'onShelf'), [request], maxBuffers, { maySort }),
        );
      }
    }
  }
});

t.test('fifty pages in one statement', async (t) => {
  const requests = Array.from({ length: 50 }, (_, i) => page({ parent: String(i + 1), limit: 10 }));
  await checkPlans(t, stores, listSource(bookDefinition, 'onShelf'), requests, 50 * 60);
  const cut = requests.map((request, i) => (i === 0 ? { ...request, after: place } : request));
  await checkPlans(t, stores, listSource(bookDefinition, 'onShelf'), cut, 50 * 80);
});

t.test('the other lists', async (t) => {
  const cases = [
    page({ after: place }),
    page({ before: place, backward: true }),
    page({ direction: 'DESC', filters: between('2026-01-10T00:00:00Z', '2026-02-10T00:00:00Z') }),
    page({ order: 'ID', after: placeById }),
    page({ order: 'ID', direction: 'DESC', before: placeById }),
  ];
  for (const request of cases) await checkPlans(t, stores, listSource(bookDefinition, 'all'), [request], 200);
  const byId = (more: Partial<PageQuery>) => page({ order: 'ID', ...more });
  const half: Position = { key: null, id: String(SHELVES / 4) };
  for (const more of [{}, { backward: true }, { after: half }, { before: half, backward: true }]) {
    await checkPlans(t, stores, listSource(shelfDefinition, 'all'), [byId(more)], 200);
    await checkPlans(t, stores, listSource(shelfDefinition, 'inLibrary'), [byId({ parent: '1', ...more })], 200);
    await checkPlans(t, stores, listSource(shelfDefinition, 'withBook'), [byId({ parent: '1', ...more })], 200);
  }
});
