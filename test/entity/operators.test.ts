import { customType, integer, type PgColumn, pgTable } from 'drizzle-orm/pg-core';
import { t } from 'tap';
import { listSource } from '../../src/entity/definition.ts';
import type { ListSource } from '../../src/entity/list-definition.ts';
import { entity } from '../../src/index.ts';
import { listReader } from '../../src/lists/list.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { Trace } from '../../src/trace/trace.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

/** A value of each type that comes with Postgres, apart from those of catalogs alone. */
const VALUES: Readonly<Record<string, string>> = {
  ...{ integer: '1', numeric: '1', text: 'a', 'character varying': 'a', bytea: '\\x00', boolean: 'true', money: '1' },
  ...{ date: '2026-01-01', time: '00:00', timestamp: '2026-01-01', timetz: '00:00+00', interval: '1 day' },
  ...{ uuid: '00000000-0000-0000-0000-000000000000', inet: '::1', cidr: '::1', macaddr: '0:0:0:0:0:0', 'bit(1)': '1' },
  ...{ json: '{}', JSON: '{}', jsonb: '{}', jsonpath: '$', xml: '<a/>', xid: '1', xid8: '1', cid: '1', pg_lsn: '0/0' },
  ...{ point: '(1,2)', line: '{1,2,3}', lseg: '((1,2),(3,4))', box: '((1,2),(3,4))', circle: '<(1,2),3>' },
  ...{ path: '((1,2),(3,4))', polygon: '((1,2),(3,4))', tsvector: 'a', tsquery: 'a' },
  ...{ int4range: '[1,2)', tstzrange: 'empty', int4multirange: '{}' },
  ...{ 'integer[]': '{1}', 'text[]': '{a}', 'jsonb[]': '{"{}"}', 'json[]': '{"{}"}', 'point[]': '{"(1,2)"}' },
  ...{ 'box[]': '{}', 'int4range[]': '{}' },
};
const USES = ['order', 'eq', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'isNull', 'startsWith', 'search'];

/** Types that contain nothing, which Larder does not know. */
const UNKNOWN = [
  ...['character varying', 'bytea', 'money', 'timetz', 'interval', 'inet', 'cidr', 'macaddr', 'bit(1)', 'pg_lsn'],
  ...['jsonpath', 'xml', 'xid', 'xid8', 'cid', 'point', 'line', 'lseg', 'path', 'tsvector'],
];

/** What a list asks of Postgres of a column `c`, where that may be refused. */
const ASKS: Readonly<Record<string, string>> = {
  ...{ order: 'true order by c', eq: 'c = c', in: 'c = any(array[c])', contains: 'c @> c' },
  ...{ gt: 'c > c', gte: 'c >= c', lt: 'c < c', lte: 'c <= c' },
};

const database = await freshDatabase(t);
const sql = openSql(t, database);
const pool = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 });
t.teardown(() => pool.close());

/** The source of a list that uses a column so, or the error with which it is refused. */
function declared(use: string, column: PgColumn): ListSource | Error {
  const list = use === 'order' ? { orders: { X: column } } : { orders: { X: null }, filters: { f: { [use]: column } } };
  try {
    return listSource(entity(column.table, { lists: { all: list as object } }).define('Thing'), 'all');
  } catch (error) {
    return error as Error;
  }
}

/** Reads a page of one row, and another after it. */
async function readPages(source: ListSource, value: unknown): Promise<void> {
  const text = source.filters.f?.encode(value) ?? null;
  const filters = text === null ? {} : { filters: [['f', text]] as const };
  const needs = { rows: true, entities: false, positions: true, total: true, flags: true };
  const request = { order: 'X', direction: 'ASC', limit: 1, backward: false, needs, ...filters } as const;
  const read = listReader(pool, source);
  const [page] = await read([request], new Trace());
  const [ref] = page?.refs ?? [];
  if (ref !== undefined) await read([{ ...request, after: { key: page?.keys?.[0] ?? null, id: ref.id } }], new Trace());
}

for (const [type, value] of Object.entries(VALUES)) {
  t.test(`what Postgres cannot do with ${type} is refused when the entity is made, and nothing else`, async (t) => {
    const things = pgTable('things', {
      id: integer('id').primaryKey(),
      c: customType<{ data: unknown; notNull: true }>({ dataType: () => type })('c').notNull(),
    });
    await sql.unsafe(`drop table if exists things; create table things (id int primary key, c ${type} not null)`);
    await sql.unsafe(`insert into things values (1, '${value}'), (2, '${value}')`);
    for (const use of USES) {
      // Arrays are refused there for another reason. For `contains`, only types are known whose values have one form.
      if (type.endsWith('[]') && ['order', 'in'].includes(use)) continue;
      if (use === 'contains' && UNKNOWN.includes(type)) continue;
      const source = declared(use, things.c);
      if (source instanceof Error) {
        t.match(source.message, /^Thing\.all.*, got c of the type /, use);
        await t.rejects(sql.unsafe(`select from things where ${ASKS[use]}`), { code: '42883' }, use);
        continue;
      }
      const given = { in: [value], isNull: false, search: 'a', startsWith: '' }[use] ?? value;
      await t.resolves(readPages(source, given), use);
    }
  });
}
