import fc from 'fast-check';
import { type Test, t } from 'tap';
import { pageBodies } from '../../src/bodies/page-bodies.ts';
import { createScope } from '../../src/bodies/scope.ts';
import { EntityCache } from '../../src/cache/entity-cache.ts';
import type { Body } from '../../src/cache/entry.ts';
import { PageMemory } from '../../src/cache/memory/page-memory.ts';
import { Page, split } from '../../src/lists/page.ts';
import type { PageRequest } from '../../src/lists/page-request.ts';
import { openRepositories } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { manualClock } from '../support/manual-clock.ts';
import { openStorage } from '../support/open-storage.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { counted, openSql } from '../support/stores.ts';

const SHELVES = 6;
const BOOKS = 12;

const database = await freshDatabase(t);
const sql = openSql(t, database);
await makeLibrary(sql, { libraries: 2, shelves: SHELVES, books: BOOKS, perShelf: 8 });
// Nobody drains here, and what is counted begins when nothing waits for that.
await sql`truncate cache_outbox`;

const scope = (cold = false) => createScope(new Trace(), cold);

/** Repositories with memory over a Redis; nobody drains, so that no change by SQL is ever told to them. */
async function start(t: Test, memoryMaxEntries = 1000) {
  const redis = await freshRedis(t);
  const { storage } = await openStorage(t, database, redis, memoryMaxEntries);
  const { Book } = openRepositories(entities, storage);
  return { redis, book: Book };
}

const page = (more: Partial<PageRequest> = {}): PageRequest => ({
  parent: '1',
  order: 'PUBLISHED_AT',
  direction: 'ASC',
  limit: 4,
  backward: false,
  ...more,
  needs: { rows: true, entities: true, positions: false, total: false, flags: false, ...more.needs },
});

/** A page with what it makes when it is read. */
const asPlain = (found: Page): unknown => JSON.parse(JSON.stringify(found));

t.test('a page that is named again in the same words costs one statement and nothing else', async (t) => {
  const { redis, book } = await start(t);
  const read = async (requests: readonly PageRequest[]) => {
    const own = scope();
    const { answer, sql, commands } = await counted({ database, redis }, () => book.list('onShelf', requests, own));
    const { hits, misses, memoryHits } = own.trace.cache.Book ?? { hits: 0, misses: 0, memoryHits: 0 };
    return { ids: answer.map(({ items }) => items.map(({ id }) => id)), sql, commands, hits, misses, memoryHits };
  };
  const first = await read([page()]);
  t.match(first, { sql: 2, hits: 0, misses: 4 });
  t.same(await read([page()]), { ids: first.ids, sql: 1, commands: 0, hits: 4, misses: 0, memoryHits: 4 });
  const twice = await read([page(), page()]);
  t.match(twice, { ids: [...first.ids, ...first.ids], hits: 4, memoryHits: 4 }, 'an entity counts once for a request');
  const more = await read([page(), page({ limit: 5 })]);
  t.match(more, { sql: 2, hits: 4, misses: 1 }, 'what the request has already is not read for another page');
  for (const temperature of ['cold', 'warm']) {
    const reversed = await read([page({ backward: true, limit: 8 }), page({ limit: 8 })]);
    t.same(reversed.ids[0], reversed.ids[1], `backward pages come in forward order, ${temperature}`);
  }
});

t.test('without memory, no page is kept', async (t) => {
  const { redis, book } = await start(t, 0);
  const list = () => book.list('onShelf', [page()], scope());
  await list();
  const { sql, commands } = await counted({ database, redis }, list);
  t.equal(sql, 1);
  t.ok(commands > 0, 'Redis is asked');
});

t.test('a cold request neither asks nor fills', async (t) => {
  const { redis, book } = await start(t);
  const read = (cold: boolean) => counted({ database, redis }, () => book.list('onShelf', [page()], scope(cold)));
  t.equal((await read(true)).sql, 2);
  t.equal((await read(false)).sql, 2, 'it has left nothing');
  t.equal((await read(false)).sql, 1);
  t.equal((await read(true)).sql, 2, 'it takes nothing');
});

t.test('pages are as Postgres has them, whatever is written past every cache', async (t) => {
  const { book } = await start(t, 30);
  const id = (most: number) => fc.integer({ min: 1, max: most });
  const write = fc.oneof(
    fc.record({
      kind: fc.constant('title' as const),
      book: id(BOOKS),
      to: fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
    }),
    fc.record({ kind: fc.constant('time' as const), book: id(BOOKS), to: fc.nat(3) }),
    fc.record({ kind: fc.constant('unlink' as const), shelf: id(SHELVES), book: id(BOOKS) }),
    fc.record({ kind: fc.constant('link' as const), shelf: id(SHELVES), book: id(BOOKS) }),
  );
  const request = fc.record({
    parent: id(SHELVES).map(String),
    order: fc.constantFrom('PUBLISHED_AT', 'ID'),
    direction: fc.constantFrom('ASC' as const, 'DESC' as const),
    limit: fc.nat(4),
    backward: fc.boolean(),
    flags: fc.boolean(),
    positions: fc.boolean(),
  });
  const pages = fc.array(request, { minLength: 1, maxLength: 4 });
  const steps = fc.array(fc.record({ writes: fc.array(write, { maxLength: 2 }), pages }), {
    minLength: 4,
    maxLength: 12,
  });
  let remembered = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (drawn) => {
      for (const { writes, pages } of drawn) {
        for (const one of writes) {
          if (one.kind === 'title') await sql`update books set title = ${one.to || 'x'} where id = ${one.book}`;
          else if (one.kind === 'time') {
            await sql`update books set published_at = timestamptz '2026-01-01' + ${one.to}::int * interval '1 day' where id = ${one.book}`;
          } else if (one.kind === 'unlink') {
            await sql`delete from shelf_books where shelf_id = ${one.shelf} and book_id = ${one.book}`;
          } else {
            await sql`
              insert into shelf_books (shelf_id, book_id, published_at)
              select ${one.shelf}, id, published_at from books where id = ${one.book} on conflict do nothing`;
          }
        }
        const requests = pages.map(({ flags, positions, ...rest }) =>
          page({ ...rest, needs: { rows: true, entities: true, positions, total: false, flags } }),
        );
        const own = scope();
        const found = await book.list('onShelf', requests, own);
        // Past memory and Redis, by statements of its own.
        t.same(found.map(asPlain), (await book.list('onShelf', requests, scope(true))).map(asPlain));
        remembered += own.trace.cache.Book?.memoryHits ?? 0;
      }
    }),
    { numRuns: 40 },
  );
  t.ok(remembered > 100, `memory answered ${remembered} times`);
});

t.test('what a write has returned is kept for nobody else', async (t) => {
  const { book } = await start(t);
  // Whoever copies Larder may have such a trigger: the row has the same version before and after it.
  await sql`
    create function finish() returns trigger language plpgsql as $$ begin
      update books set body = 'Finished' where id = new.id and body <> 'Finished';
      return null;
    end $$`;
  await sql`create trigger finish after update on books for each row execute function finish()`;
  const own = scope();
  const [before] = await book.list('onShelf', [page()], scope());
  const id = before?.items[0]?.id ?? '';
  await book.update(id, { title: 'Written', body: 'Begun' }, own);
  await book.list('onShelf', [page()], own);
  const [after] = await book.list('onShelf', [page()], scope());
  t.match(after?.items[0], { id, entity: { title: 'Written', body: 'Finished' } });
  await sql`drop trigger finish on books`;
});

const SPACE = { entity: 'Thing', shape: 'a' };
const bodyOf = (id: string, version: string): Body => ({ version, entity: { id } });
const namedPage = (...refs: { id: string; version: string }[]): Page => {
  const textOf = (field: 'id' | 'version') => refs.map((ref) => ref[field]).join();
  return new Page({ ord: 0, ids: textOf('id'), versions: textOf('version') }, { ...page(), filters: undefined }, split);
};

/** A cache of whole pages alone. */
const pageCache = (clock = manualClock()) =>
  new EntityCache({
    redis: null,
    memory: null,
    pages: new PageMemory({ entries: 10, bytes: 1_000_000 }),
    bus: null,
    prefix: '',
    ttlMs: 60_000,
    memoryTtlMs: 1000,
    clock,
  });

/** The bodies that are read into some pages. */
async function bodiesOf(read: ReturnType<typeof pageBodies>, pages: Page[], own = scope()) {
  await read(pages, own, 0);
  return pages.map(({ bodies }) => bodies);
}

t.test('a page is kept only with the bodies that its list named', async (t) => {
  const rows = new Map<string, Body>([
    ['1', bodyOf('1', 'a')],
    ['2', bodyOf('2', 'newer')],
  ]);
  const asked: string[][] = [];
  const read = pageBodies(SPACE, pageCache(), (wants) => {
    asked.push(wants.map(({ id }) => id));
    return wants.map(({ id }) => rows.get(id) ?? null);
  });
  const [same, newer, gone] = [
    namedPage({ id: '1', version: 'a' }),
    namedPage({ id: '1', version: 'a' }, { id: '2', version: 'older' }),
    namedPage({ id: '1', version: 'a' }, { id: '3', version: 'a' }),
  ];
  for (let i = 0; i < 2; i += 1) {
    t.same(await bodiesOf(read, [newer]), [[rows.get('1'), rows.get('2')]], 'what is newer is answered');
    t.same(await bodiesOf(read, [gone]), [[rows.get('1'), null]]);
    t.same(await bodiesOf(read, [same]), [[rows.get('1')]]);
  }
  t.same(
    asked,
    [['1', '2'], ['1', '3'], ['1'], ['1', '2'], ['1', '3']],
    'and asked for again; what was as named is not',
  );
});

t.test('of two versions that a request meets, the row has the last word', async (t) => {
  const rows = new Map<string, Body>([['1', bodyOf('1', 'a')]]);
  let asked: string[] = [];
  const read = pageBodies(SPACE, pageCache(), (wants) => {
    asked.push(...wants.map(({ id, version }) => `${id}=${version}`));
    return wants.map(({ id }) => rows.get(id) ?? null);
  });
  const [old, current, other] = [
    namedPage({ id: '1', version: 'a' }),
    namedPage({ id: '1', version: 'b' }),
    namedPage({ id: '1', version: 'c' }),
  ];
  await read([old], scope(), 0);
  rows.set('1', bodyOf('1', 'b'));
  await read([current], scope(), 0);
  asked = [];

  t.same(await bodiesOf(read, [old, current]), [[rows.get('1')], [rows.get('1')]], 'memory holds both');
  t.same(asked, ['1=a', '1=b'], 'and neither is used');
  asked = [];
  await read([old, other], scope(), 0);
  t.same(asked, ['1=a', '1=c'], 'nor the one that it holds');
  for (const known of [bodyOf('1', 'b'), null]) {
    asked = [];
    const own = scope();
    own.identities.set(SPACE.entity, new Map([['1', known]]));
    await read([old], own, 0);
    t.same(asked, ['1=a'], 'nor what the request has read in another version before, or not found');
    t.equal(own.identities.get(SPACE.entity)?.get('1'), known, 'which it goes on with');
  }
});

t.test('a page whose reading began before all was forgotten is kept for nobody', async (t) => {
  const clock = manualClock();
  const cache = pageCache(clock);
  let answer = (_bodies: Body[]) => {};
  const answered = new Promise<Body[]>((resolve) => {
    answer = resolve;
  });
  const named = namedPage({ id: '1', version: 'a' });
  const asked = clock.now();
  const reading = pageBodies(SPACE, cache, () => answered)([named], scope(), asked);
  await clock.advance(1);
  cache.forgetAll();
  answer([bodyOf('1', 'a')]);
  await reading;
  t.same(named.bodies, [bodyOf('1', 'a')], 'who asked gets it');
  t.equal(cache.pages?.get(SPACE, named.named), undefined);
  const read = pageBodies(SPACE, cache, () => [bodyOf('1', 'a')]);
  await read([named], scope(), asked);
  t.equal(cache.pages?.get(SPACE, named.named), undefined, 'nor if only its list was asked before');
  await clock.advance(1);
  await read([named], scope(), clock.now());
  t.same(cache.pages?.get(SPACE, named.named)?.bodies, named.bodies, 'what is asked for later is kept');
});

t.test('memory holds so many bodies in pages, and forgets the page that was used least', (t) => {
  const pages = new PageMemory({ entries: 5, bytes: 1_000_000 });
  const two = [bodyOf('1', 'a'), bodyOf('2', 'a')];
  for (const text of ['first', 'second']) pages.set(SPACE, text, two);
  t.same(pages.get(SPACE, 'first')?.bodies, two);
  pages.set(SPACE, 'third', two);
  t.same(
    ['first', 'second', 'third'].map((text) => pages.get(SPACE, text) !== undefined),
    [true, false, true],
  );
  t.equal(pages.get({ entity: 'Other', shape: 'a' }, 'first'), undefined, 'of another kind');
  pages.set(SPACE, 'large', [...two, ...two, ...two]);
  t.equal(pages.get(SPACE, 'large'), undefined, 'more than all');
  t.end();
});
