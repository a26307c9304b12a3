import { t } from 'tap';
import { listSource } from '../../src/entity/definition.ts';
import { listReader } from '../../src/lists/list.ts';
import type { PageNeeds } from '../../src/lists/page-request.ts';
import { openDatabase } from '../../src/postgres/client.ts';
import { openChannels } from '../../src/trace/channels.ts';
import { Trace } from '../../src/trace/trace.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

const bookDefinition = entities.Book.define('Book');

const NEEDS: PageNeeds = { rows: true, entities: false, positions: false, total: false, flags: false };

t.test('a page reads one row more where somebody asks whether there is one, and only there', async (t) => {
  const database = await freshDatabase(t);
  const sql = openSql(t, database);
  await makeLibrary(sql, { libraries: 1, shelves: 1, books: 10, perShelf: 10 });
  const channels = openChannels();
  const pool = openDatabase({ url: database.url, poolSize: 1, statementTimeoutMs: 60_000 });
  t.teardown(() => pool.close());
  const read = listReader(pool, listSource(bookDefinition, 'onShelf'));
  for (const [flags, rows] of [
    [false, 3],
    [true, 4],
  ] as const) {
    const sent: { text: string; parameters: readonly unknown[] }[] = [];
    const leave = channels.sql.subscribe((statement) => sent.push(statement));
    const [page] = await read(
      [
        {
          ...{ parent: '1', order: 'PUBLISHED_AT', direction: 'ASC' as const, limit: 3, backward: false },
          needs: { ...NEEDS, flags },
        },
      ],
      new Trace({ channels }),
    );
    leave();
    t.match(page, { refs: { length: 3 }, hasNext: flags });
    // What Postgres itself says that the statement reads.
    const [{ text, parameters } = { text: '', parameters: [] }] = sent;
    const explained = await sql.unsafe(`explain (analyze, costs off, timing off) ${text}`, parameters as never[]);
    const plan = explained.map((row) => String(row['QUERY PLAN'])).join('\n');
    t.match(plan, new RegExp(`Limit \\(actual rows=${rows}(\\.\\d+)? loops=1\\)`));
  }
});
