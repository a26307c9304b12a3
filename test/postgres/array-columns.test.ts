import { t } from 'tap';
import { ELEMENTS } from '../../src/postgres/array-columns.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

t.test('the numbers of the arrays are those of Postgres', async (t) => {
  const sql = openSql(t, await freshDatabase(t));
  const rows = await sql<{ oid: number; element: string }[]>`
    select a.oid::int, format_type(a.typelem, null) as element
    from pg_type a join pg_type e on e.typarray = a.oid where a.oid < 10000 and e.typdelim = ','`;
  const names = new Map(rows.map(({ oid, element }) => [oid, element]));
  const full: Readonly<Record<string, string>> = {
    ...{ varchar: 'character varying', bpchar: 'character', varbit: 'bit varying' },
    ...{ time: 'time without time zone', timetz: 'time with time zone' },
  };
  for (const [oid, type] of ELEMENTS) t.equal(names.get(oid), full[type] ?? type, String(oid));
});
