import type { Stores } from '../stores.ts';

/**
 * Adds a campaign of each size, with events that are there.
 *
 * @param stores where
 * @param database in which database
 * @param sizes how many events each is to have; there must be as many
 * @returns the campaigns' ids by their size
 */
export async function addLargeCampaigns(
  stores: Stores,
  database: string,
  sizes: readonly number[],
): Promise<Map<number, string>> {
  const sql = stores.connect(database);
  const ids = new Map<number, string>();
  for (const size of sizes) {
    const [campaign] = await sql<[{ id: string }]>`
      insert into campaigns (brand_id, title) values (1, ${`A campaign of ${size} events`}) returning id`;
    const { count } = await sql`
      insert into campaign_events (campaign_id, event_id, starts_at)
      select ${campaign.id}, id, starts_at from events order by id limit ${size}`;
    if (count !== size) throw new Error(`There are ${count} events, too few for a campaign of ${size}.`);
    ids.set(size, campaign.id);
  }
  await sql`vacuum analyze campaigns, campaign_events`;
  return ids;
}
