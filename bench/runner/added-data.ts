import type { Sql } from 'postgres';
import { SIZES } from './queries.ts';
import type { DataSize } from './stores.ts';

/** How long the bodies are of what is added. */
const BODY = 1000;
/** What each heavy campaign has: one more than a page shows, so that there is a next page. */
const HEAVY_EVENTS = SIZES.wide.events + 1;

/** Where what is added lies. */
export interface AddedData {
  readonly heavyAfter: number;
  readonly freshAfter: number;
}

/**
 * @param size how much sample data there is
 * @returns the campaigns after which those lie that `addData` adds
 */
export function addedAfter({ campaigns }: DataSize): AddedData {
  return { heavyAfter: campaigns, freshAfter: campaigns + SIZES.wide.campaigns };
}

/**
 * Adds to the sample data a page of campaigns with long bodies. Behind it come campaigns that nobody has asked for yet, with two events each.
 *
 * @param sql a connection to the database
 * @param size how much sample data there is
 * @param fresh how many campaigns nobody has asked for
 */
export async function addData(sql: Sql, size: DataSize, fresh: number): Promise<void> {
  const { freshAfter } = addedAfter(size);
  const heavy = SIZES.wide.campaigns;
  // Nothing is cached yet, so nothing need be told of it.
  const tables = ['campaigns', 'events', 'campaign_events'];
  for (const table of tables) await sql`alter table ${sql(table)} disable trigger user`;
  await sql`
    insert into campaigns (id, brand_id, title, body)
    select id, 1 + id % (select count(*) from brands), 'Campaign ' || id, rpad('Campaign ' || id || E'\n', ${BODY}, 'All that plays by the river. ')
    from generate_series(${size.campaigns + 1}::bigint, ${freshAfter + fresh}::bigint) id`;
  const addEvents = (from: number, firstCampaign: number, campaigns: number, each: number) => sql`
    with added as (
      insert into events (id, title, body, starts_at)
      select ${from}::bigint + n, 'Event ' || n, rpad('Event ' || n || E'\n', ${BODY}, 'We play until the lights go out. '),
        timestamptz '2026-01-01 00:00:00+00' + n * interval '1 minute'
      from generate_series(1, ${campaigns * each}::bigint) n
      returning id, starts_at
    )
    insert into campaign_events (campaign_id, event_id, starts_at)
    select ${firstCampaign}::bigint + (id - ${from}::bigint - 1) / ${each}::bigint, id, starts_at from added`;
  // The foreign key is checked for each row by triggers that no user made, and holds.
  await addEvents(size.events, size.campaigns + 1, heavy, HEAVY_EVENTS);
  if (fresh > 0) await addEvents(size.events + heavy * HEAVY_EVENTS, freshAfter + 1, fresh, SIZES.nested.events);
  for (const table of tables) await sql`alter table ${sql(table)} enable trigger user`;
  for (const table of ['campaigns', 'events']) {
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), (select max(id) from ${sql(table)}))`;
  }
}
