import { sql as query } from 'drizzle-orm';
import { t } from 'tap';
import { ownTransaction } from '../../src/repository/own-transaction.ts';
import { makeLibrary } from '../support/library.ts';
import { openStorage } from '../support/open-storage.ts';
import { freshDatabase, freshRedis } from '../support/services.ts';
import { openRedis, openSql } from '../support/stores.ts';

t.test(
  'however much a transaction changes, Redis is told the next part when it has taken the one before',
  async (t) => {
    const [database, redis] = await Promise.all([freshDatabase(t), freshRedis(t)]);
    await makeLibrary(openSql(t, database), { libraries: 5000, shelves: 0, books: 0, perShelf: 0 });
    const { storage, tier } = await openStorage(t, database, redis, 0);
    if (tier === null) throw new Error('No connection to Redis');
    const keys = openRedis(t, redis);
    const names = Array.from({ length: 5000 }, (_, i) => `Library-${i + 1}`);
    await keys.mset(...names.flatMap((name) => [name, 'a body']));

    const sizes: number[] = [];
    let [underWay, most] = [0, 0];
    const invalidate = tier.invalidate.bind(tier);
    tier.invalidate = async (part, ...message) => {
      sizes.push(part.length);
      underWay += 1;
      most = Math.max(most, underWay);
      const told = await invalidate(part, ...message);
      underWay -= 1;
      return told;
    };
    await ownTransaction(storage, (transaction) => transaction.execute(query`update libraries set name = name || '!'`));
    t.equal(await keys.exists(...names), 0, 'all is forgotten');
    t.same(sizes, [2000, 2000, 1000]);
    t.equal(most, 1);
  },
);
