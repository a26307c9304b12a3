import { t } from 'tap';
import { createScope } from '../../src/bodies/scope.ts';
import { systemClock } from '../../src/clock.ts';
import { Replicas } from '../../src/postgres/replicas.ts';
import { openRepositories } from '../../src/repository/entity.ts';
import { pageReader, rowLoader } from '../../src/repository/places.ts';
import { Trace } from '../../src/trace/trace.ts';
import { WHOLE_PAGE } from '../stage/pages.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { openStorage } from '../support/open-storage.ts';
import { asked, replicatedPostgres } from '../support/replicated-postgres.ts';
import { until } from '../support/until.ts';

t.test('the rows that a list of a replica names are not read there once it has gone back', async (t) => {
  const postgres = await replicatedPostgres(t, 1);
  const { sql } = postgres;
  const [replica] = postgres.replicas as [(typeof postgres.replicas)[0]];
  await makeLibrary(sql, { libraries: 1, shelves: 0, books: 0, perShelf: 0 });
  const write = (name: string) => sql`update libraries set name = ${name}`;
  await write('before the list');
  await replica.checkpoint();
  await write('listed');
  await replica.resume();

  const { storage } = await openStorage(t, postgres, null, 100);
  const { database } = storage;
  const replicas = new Replicas({
    urls: [replica.url],
    poolSize: 1,
    statementTimeoutMs: 60_000,
    clock: systemClock,
    // Longer than any test takes.
    maxLagMs: 3_600_000,
    primary: database,
    beat: database,
    onChange: () => {},
  });
  t.teardown(() => replicas.close());
  await replicas.start(60_000);
  const [chosen] = replicas.all;
  await until('the replica is used', () => chosen?.unfit(systemClock.now()) === null);

  await replica.pause();
  await write('cached');
  t.match(await openRepositories(entities, storage).Library.findById('1'), { name: 'cached' });
  const definition = entities.Library.define('Library');
  const load = rowLoader(database, definition);
  const options = { definition, space: definition.space, load, loadShared: load, isCurrent: () => true };
  const { pages, fill } = await pageReader({ ...storage, replicas }, options)(
    'all',
    [WHOLE_PAGE],
    createScope(new Trace()),
  );
  t.equal(chosen?.statements, 1, 'it is listed there');

  await replica.crash();
  const [behind] = await asked(() => replica.sql`select name from libraries`);
  t.same(behind, { name: 'before the list' });
  await until('it is known to have gone back', async () => {
    await chosen?.look();
    return chosen?.unfit(systemClock.now()) !== null && chosen?.replayed !== '';
  });
  await fill(pages);
  t.match(pages[0]?.bodies, [{ entity: { name: 'cached' } }]);
});
