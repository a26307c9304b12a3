import type { InferSelectModel } from 'drizzle-orm';
import { bigint, pgTable } from 'drizzle-orm/pg-core';
import { type Test, t } from 'tap';
import { createScope } from '../../src/bodies/scope.ts';
import type { PageRequest } from '../../src/lists/page-request.ts';
import { decodeCursor, encodeCursor } from '../../src/pothos/cursor.ts';
import { createRepository } from '../../src/repository/cached-repository.ts';
import { entity } from '../../src/repository/entity.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { Trace } from '../../src/trace/trace.ts';
import { openStorage } from '../support/open-storage.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const players = pgTable('players', {
  id: bigint('id', { mode: 'bigint' }).$type<string>().primaryKey(),
  score: bigint('score', { mode: 'bigint' }).$type<string>().notNull(),
});

type Player = Readonly<InferSelectModel<typeof players>>;

const definition = entity(players, {
  isId: (id) => id !== '0' && !id.startsWith('-'),
  lists: {
    all: {
      orders: { SCORE: players.score, ID: null },
      filters: { from: { gt: players.score }, to: { lt: players.score } },
    },
    ofScore: { parent: players.score },
  },
}).define('Player');

const [MIN, MAX] = ['-9223372036854775808', '9223372036854775807'];

/** Ids and scores, in the order of scores. */
const ROWS = [
  ['3', MIN],
  [MAX, MIN],
  ['9', '-12345678901234567'],
  ['2', '-1'],
  ['7', '-1'],
  ['1', '0'],
  ['4', '0'],
  ['5', '1'],
  ['6', MAX],
  ['8', MAX],
] as const;

const REQUEST: PageRequest = {
  ...{ order: 'SCORE', direction: 'ASC', limit: 3, backward: false },
  needs: { rows: true, entities: true, positions: true, total: true, flags: true },
};

async function open(t: Test): Promise<Repository<Player, 'all' | 'ofScore'>> {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await sql`create table players (id bigint primary key, score bigint not null)`;
  await sql`create index on players (score, id)`;
  for (const [id, score] of ROWS) await sql`insert into players values (${id}, ${score})`;
  const { storage } = await openStorage(t, database, null, 100);
  return createRepository(definition, storage);
}

const scope = () => createScope(new Trace());

t.test('a list sorted by a bigint is paged through from end to end, whatever its keys are', async (t) => {
  const repository = await open(t);
  const ids = ROWS.map(([id]) => id as string);
  for (const direction of ['ASC', 'DESC'] as const) {
    for (const backward of [false, true]) {
      for (const limit of [1, 2, 3]) {
        const seen: string[] = [];
        let cursor: string | null = null;
        for (;;) {
          const position = cursor === null ? undefined : decodeCursor(cursor, 'Player.all', 'SCORE');
          if (position === null) throw new Error('A cursor of ours is none.');
          if (position !== undefined) {
            t.ok(repository.isPosition('all', 'SCORE', position), `${position.key} is a place`);
          }
          const request = { ...REQUEST, direction, backward, limit };
          const [page] = await repository.list(
            'all',
            [{ ...request, [backward ? 'before' : 'after']: position }],
            scope(),
          );
          const found = (page?.items ?? []).map(({ id }) => id);
          if (backward) seen.unshift(...found);
          else seen.push(...found);
          const more = backward ? page?.hasPrevious : page?.hasNext;
          t.equal(backward ? page?.hasNext : page?.hasPrevious, cursor !== null, 'what lies behind is known');
          if (!more) break;
          const edge = backward ? page?.items[0] : page?.items.at(-1);
          if (edge?.position == null) throw new Error('Expected a place of each entry.');
          cursor = encodeCursor('Player.all', 'SCORE', edge.position);
        }
        t.same(
          seen,
          direction === 'ASC' ? ids : ids.toReversed(),
          `${direction}, ${backward ? 'last' : 'first'} ${limit}`,
        );
      }
    }
  }
});

t.test('keys that Postgres would not write so are no places', async (t) => {
  const repository = await open(t);
  for (const key of [
    '-0',
    '00',
    '-01',
    '+1',
    '',
    '-',
    '1.5',
    '1e3',
    ' 1',
    '-9223372036854775809',
    '9223372036854775808',
  ]) {
    t.notOk(repository.isPosition('all', 'SCORE', { key, id: '1' }), JSON.stringify(key));
  }
  for (const id of ['0', '-1'])
    t.notOk(repository.isPosition('all', 'SCORE', { key: '0', id }), `no row has the id ${id}`);
});

t.test('who is not filtered sees the ends of the type, also beside somebody who is', async (t) => {
  const repository = await open(t);
  for (const order of ['SCORE', 'ID']) {
    const request = { ...REQUEST, order, limit: 100 };
    const pages = await repository.list(
      'all',
      [
        request,
        { ...request, filters: { from: '-1' } },
        { ...request, filters: { to: '0' } },
        { ...request, filters: { from: MIN, to: MAX } },
        { ...request, filters: { from: MAX } },
        { ...request, filters: { to: MIN } },
      ],
      scope(),
    );
    const numbers = ROWS.map(([, score]) => BigInt(score));
    const expected = [
      numbers,
      numbers.filter((score) => score > -1n),
      numbers.filter((score) => score < 0n),
      numbers.filter((score) => score > BigInt(MIN) && score < BigInt(MAX)),
      [],
      [],
    ];
    pages.forEach((page, i) => {
      const found = page.items.map(({ entity }) => BigInt(entity?.score ?? 0));
      const compare = (a: bigint, b: bigint) => (a < b ? -1 : Number(a > b));
      t.same(found.toSorted(compare), expected[i], `${order}, request ${i}`);
      t.equal(page.total, expected[i]?.length, `${order}, request ${i}: the count`);
    });
  }
});

t.test('a parent may be zero or less', async (t) => {
  const repository = await open(t);
  const request = { ...REQUEST, order: 'ID', limit: 10 };
  const pages = await repository.list(
    'ofScore',
    [MIN, '-1', '0', MAX].map((parent) => ({ ...request, parent })),
    scope(),
  );
  t.same(
    pages.map(({ items }) => items.map(({ id }) => id)),
    [
      ['3', MAX],
      ['2', '7'],
      ['1', '4'],
      ['6', '8'],
    ],
  );
});
