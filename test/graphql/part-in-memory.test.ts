import { t } from 'tap';
import { globalId, makeData } from '../support/data.ts';
import { counted, openServer, openSql } from '../support/server.ts';
import { freshDatabase } from '../support/services.ts';
import { standingClock } from '../support/standing-clock.ts';

// What memory holds must not go on sooner than what it lacks: the two would read the next level with a statement each.
const database = await freshDatabase(t);
const redis = null;
await makeData(openSql(t, database), { brands: 40, campaigns: 40, events: 100, perCampaign: 5 });

const both = (selection: string) =>
  `query ($a: ID!, $b: ID!) { a: campaign(id: $a) { ${selection} } b: campaign(id: $b) { ${selection} } }`;

const CASES = {
  'a reference': both('title brand { name }'),
  'a list': both('title events(first: 1) { nodes { id } }'),
  'a reference with a list': both('brand { id campaigns(first: 2) { nodes { id } } }'),
};

for (const [name, document] of Object.entries(CASES)) {
  for (const before of [0, 5]) {
    t.test(`two beside each other, one of them in memory: ${name}, after ${before} of its kind`, async (t) => {
      // However long the machine takes, memory knows what it has read.
      const server = await openServer(t, { database, redis, clock: standingClock() });
      const ask = (a: number, b: number) =>
        server.ask(document, { a: globalId('Campaign', a), b: globalId('Campaign', b) });
      for (let i = 0; i < before; i += 1) await ask(39, 40);
      await server.ask('query ($a: ID!) { campaign(id: $a) { title } }', { a: globalId('Campaign', 1) });
      const together = await counted({ database, redis }, () => ask(1, 2));
      await server.ask('query ($a: ID!) { campaign(id: $a) { title } }', { a: globalId('Campaign', 3) });
      await server.ask('query ($a: ID!) { campaign(id: $a) { title } }', { a: globalId('Campaign', 4) });
      const warm = await counted({ database, redis }, () => ask(3, 4));
      const levels = warm.sql + 1;
      t.equal(together.sql, levels, `${together.sql} statements, one more than where memory has both: ${levels}`);
      await server.close();
    });
  }
}
