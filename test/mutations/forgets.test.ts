import type { Sql } from 'postgres';
import { t } from 'tap';
import { openServer, openSql, startServer } from '../support/server.ts';
import { bearer, JWT_SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

const id = (type: string, n: number) => Buffer.from(`${type}:${n}`).toString('base64');

/** What a database may do by itself when a row changes: cascade, change other entities, at once or at the end, and the very row again. */
async function addMechanisms(sql: Sql): Promise<void> {
  await sql.unsafe(`
    alter table campaigns drop constraint campaigns_brand_id_brands_id_fk,
      add constraint campaigns_brand_id_brands_id_fk foreign key (brand_id) references brands on delete cascade;
    create function rename_events() returns trigger language plpgsql as $$ begin
      update events set title = new.name where id = 1;
      return null;
    end $$;
    create trigger rename_events after update on brands for each row execute function rename_events();
    create function note_campaigns() returns trigger language plpgsql as $$ begin
      update campaigns set body = new.title where id = 2;
      return null;
    end $$;
    create constraint trigger note_campaigns after update on events deferrable initially deferred
      for each row execute function note_campaigns();
    create function count_links() returns trigger language plpgsql as $$ begin
      update campaigns set body = (select count(*) || ' links' from campaign_events l where l.campaign_id = coalesce(new.campaign_id, old.campaign_id))
        where id = coalesce(new.campaign_id, old.campaign_id);
      return null;
    end $$;
    create trigger count_links after insert or delete on campaign_events for each row execute function count_links();
    create function shout() returns trigger language plpgsql as $$ begin
      if new.title <> upper(new.title) then update campaigns set title = upper(new.title) where id = new.id; end if;
      return null;
    end $$;
    create trigger shout after update on campaigns for each row when (new.id = 3) execute function shout();
    create function keep_event() returns trigger language plpgsql as $$ begin
      update events set title = 'kept' where id = old.id;
      return null;
    end $$;
    create trigger keep_event before delete on events for each row when (old.id = 2) execute function keep_event();
    insert into brands (id, name) values (1, 'one'), (2, 'two');
    insert into campaigns (id, brand_id, title) values (1, 1, 'c1'), (2, 2, 'c2'), (3, 2, 'C3'), (4, 1, 'c4');
    insert into events (id, title, starts_at) values (1, 'e1', now()), (2, 'e2', now());
  `);
}

t.test('a mutation answers when every process has forgotten all that its transaction changed', async (t) => {
  const env = { JWT_SECRET };
  const writer = await startServer(t, { env });
  const { sql, database, redis } = writer;
  await addMechanisms(sql);
  await database.drained();
  const reader = await openServer(t, { database, redis, env });
  const locks = openSql(t, database);
  const read = `{
    c1: campaign(id: "${id('Campaign', 1)}") { title body } c2: campaign(id: "${id('Campaign', 2)}") { title body }
    c3: campaign(id: "${id('Campaign', 3)}") { title body } c4: campaign(id: "${id('Campaign', 4)}") { title body }
    e1: event(id: "${id('Event', 1)}") { title } e2: event(id: "${id('Event', 2)}") { title } }`;
  const is = async (mutation: string, expected: object, refused?: string) => {
    await until('memory answers', async () => {
      const { extensions = {} } = await reader.query(read, {}, { 'x-inspect': '1' });
      const { sql, redis } = extensions.dataFetching as { sql: { statements: number }; redis: { commands: number } };
      return sql.statements === 0 && redis.commands === 0;
    });
    // Nobody can drain meanwhile: what was forgotten, the mutation has forgotten.
    await locks.begin(async (sql) => {
      await sql`select from cache_domains for update`;
      const answer = await writer.query(`mutation { ${mutation} }`, {}, bearer());
      t.equal(answer.errors?.[0]?.extensions?.reason, refused, mutation);
      t.match(await reader.ask(read), expected, mutation);
    });
    await database.drained();
  };
  await is(`updateBrand(input: { id: "${id('Brand', 2)}", name: "renamed" }) { brand { name } }`, {
    e1: { title: 'renamed' },
    c2: { body: 'renamed' },
  });
  const link = (n: number) => `campaignId: "${id('Campaign', 2)}", eventId: "${id('Event', n)}"`;
  await is(`addEventToCampaign(input: { ${link(1)} }) { event { id } }`, { c2: { body: '1 links' } });
  await is(`removeEventFromCampaign(input: { ${link(1)} }) { removedEventId }`, { c2: { body: '0 links' } });
  await is(`updateCampaign(input: { id: "${id('Campaign', 3)}", title: "quiet" }) { campaign { id } }`, {
    c3: { title: 'QUIET' },
  });
  await is(`deleteBrand(input: { id: "${id('Brand', 1)}" }) { deletedId }`, { c1: null, c4: null });
  const kept = { e2: { title: 'kept' }, c2: { body: 'kept' } };
  await is(`deleteEvent(input: { id: "${id('Event', 2)}" }) { deletedId }`, kept, 'NOT_FOUND');
});

t.test('and so does the rest of its request', async (t) => {
  const { sql, query } = await startServer(t, { env: { JWT_SECRET } });
  await addMechanisms(sql);
  const campaign = (n: number) =>
    `updateCampaign(input: { id: "${id('Campaign', n)}", body: "read" }) { campaign { id title body } }`;
  const { data } = await query<Record<string, { campaign?: { body: string }; brand?: object }>>(
    `mutation {
      read: ${campaign(2)}
      write: updateBrand(input: { id: "${id('Brand', 2)}", name: "again" }) {
        brand { campaigns { nodes { id body } } }
      }
    }`,
    {},
    bearer(),
  );
  t.match(data?.write?.brand, { campaigns: { nodes: [{ body: 'again' }, {}] } });
});

t.test('what a transaction changes beyond ten thousand entities is drained', async (t) => {
  const { sql, query, ask, database } = await startServer(t, { env: { JWT_SECRET } });
  await addMechanisms(sql);
  await sql`insert into campaigns (id, brand_id, title) select i, 1, 'one of many' from generate_series(10, 12100) i`;
  await database.drained();
  const last = `{ campaign(id: "${id('Campaign', 12_100)}") { title } }`;
  t.match(await ask(last), { campaign: { title: 'one of many' } });
  const answer = await query(
    `mutation { deleteBrand(input: { id: "${id('Brand', 1)}" }) { deletedId } }`,
    {},
    bearer(),
  );
  t.same(answer.errors, undefined);
  await database.drained();
  t.same(await ask(last), { campaign: null });
});
