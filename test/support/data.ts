import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Sql } from 'postgres';
import { loadCsv } from '../../src/app/data/load-csv.ts';

/** How much of each thing to make. */
export interface DataSize {
  readonly brands: number;
  readonly campaigns: number;
  readonly events: number;
  /** How many events a campaign has, at most all. */
  readonly perCampaign: number;
}

/**
 * Fills the tables with the same rows each time: brand 1, 2, …, each with campaigns; each campaign with a run of events
 * that the campaigns beside it share in part. Every tenth campaign has no event. Three events in a row start at the same
 * time, and the next three a microsecond later.
 *
 * @param sql where
 * @param size how much
 */
export async function makeData(sql: Sql, size: DataSize): Promise<void> {
  await sql`
    insert into brands (id, name)
    select i, 'Brand ' || i from generate_series(1, ${size.brands}::int) i`;
  await sql`
    insert into campaigns (id, brand_id, title, body)
    select i, 1 + i % ${size.brands}::int, 'Campaign ' || i, 'Body of campaign ' || i
    from generate_series(1, ${size.campaigns}::int) i`;
  await sql`
    insert into events (id, title, body, starts_at)
    select i, 'Event ' || i, 'Body of event ' || i,
      timestamptz '2026-01-01 00:00:00+00' + (i / 3) * interval '1 microsecond'
    from generate_series(1, ${size.events}::int) i`;
  await sql`
    insert into campaign_events (campaign_id, starts_at, event_id)
    select c.id, e.starts_at, e.id
    from campaigns c
    cross join generate_series(0, ${Math.min(size.perCampaign, size.events)}::int - 1) k
    join events e on e.id = 1 + (c.id * 7 + k) % ${size.events}::int
    where c.id % 10 <> 0`;
  await analyze(sql);
}

/** The real data set, which lies beside the repository where there is one. */
const REAL_DATA = fileURLToPath(new URL('../../../shared/data', import.meta.url));

/**
 * Fills the tables with the real data set as `db:load` does, or with a made one of that size where it is not there.
 *
 * @param sql where
 * @param url the address of the same database
 * @returns whether it is the real one
 */
export async function loadRealData(sql: Sql, url: string): Promise<boolean> {
  const real = existsSync(REAL_DATA);
  const silent = () => ({ advance: () => {}, finish: () => {} });
  if (real) await loadCsv(url, REAL_DATA, { replace: false, startProgress: silent });
  else await makeData(sql, { brands: 12, campaigns: 3300, events: 20_580, perCampaign: 20 });
  // Nothing of it is cached yet, so there is nothing to drop.
  await sql`truncate cache_outbox`;
  return real;
}

/**
 * Tells the planner what is there; without it the first statements are planned for empty tables.
 *
 * @param sql where
 */
export async function analyze(sql: Sql): Promise<void> {
  await sql`analyze brands, campaigns, events, campaign_events`;
}

/**
 * A global id as clients hold it.
 *
 * @param typename the type
 * @param id the database id
 * @returns base64 of `Type:id`
 */
export function globalId(typename: string, id: string | number | bigint): string {
  return Buffer.from(`${typename}:${id}`).toString('base64');
}
