import { t } from 'tap';
import { createScope } from '../../src/bodies/scope.ts';
import { Replicas } from '../../src/postgres/replicas.ts';
import type { WalPosition } from '../../src/postgres/wal-position.ts';
import { openRepositories } from '../../src/repository/entity.ts';
import { Trace } from '../../src/trace/trace.ts';
import { entities, makeLibrary } from '../support/library.ts';
import { openStorage } from '../support/open-storage.ts';
import { freshDatabase } from '../support/services.ts';
import { openSql } from '../support/stores.ts';

/** Holds the first answer of the primary about its log until it is let go. */
class HeldReplicas extends Replicas {
  readonly answers: WalPosition[] = [];
  letGo = () => {};

  override async position(trace: Trace): Promise<WalPosition> {
    const position = await super.position(trace);
    this.answers.push(position);
    if (this.answers.length === 1) await new Promise<void>((resolve) => (this.letGo = resolve));
    return position;
  }
}

t.test(
  'the position of a request is that of its last write, in whichever order the primary tells of them',
  async (t) => {
    const database = await freshDatabase(t);
    await makeLibrary(openSql(t, database), { libraries: 2, shelves: 0, books: 0, perShelf: 0 });
    const { storage } = await openStorage(t, database, null, 0);
    const primary = storage.database;
    const replicas = new HeldReplicas({
      urls: [],
      poolSize: 1,
      statementTimeoutMs: 0,
      clock: primary.clock,
      maxLagMs: 1000,
      primary,
      beat: primary,
      onChange: () => {},
    });
    t.teardown(() => replicas.close());
    const { Library } = openRepositories(entities, { ...storage, replicas });
    const scope = createScope(new Trace());
    const first = Library.update('1', { name: 'first' }, scope);
    while (replicas.answers.length === 0) await new Promise(setImmediate);
    await Library.update('2', { name: 'second' }, scope);
    replicas.letGo();
    await first;
    const [earlier = '', later = ''] = replicas.answers;
    t.match(earlier, /^[0-9A-F]{16}$/);
    t.ok(later > earlier, 'the second write ended later in the log');
    t.equal(scope.position, later);
  },
);
