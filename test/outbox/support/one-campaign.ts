import type { Sql } from 'postgres';
import { until } from '../../support/until.ts';

/** A server that can be asked. */
interface Asked {
  readonly url: string;
}

const read = `{ campaign(id: "${Buffer.from('Campaign:1').toString('base64')}") { title } }`;

/**
 * Makes the campaign that `find` reads.
 *
 * @param sql the database
 * @param title its title
 */
export async function makeCampaign(sql: Sql, title: string): Promise<void> {
  await sql`insert into brands (id, name) values (1, 'x')`;
  await sql`insert into campaigns (id, brand_id, title) values (1, 1, ${title})`;
}

/**
 * @param server a server that inspects
 * @returns what a read by id of the campaign finds, and whether caches answered
 */
export async function find(server: Asked): Promise<{ title: string; hits: number }> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-inspect': '1' },
    body: JSON.stringify({ query: read }),
  });
  const { data, extensions } = (await response.json()) as {
    data: { campaign: { title: string } | null } | null;
    extensions: { dataFetching: { cache: { Campaign: { hits: number } } } };
  };
  return { title: data?.campaign?.title ?? '', hits: extensions.dataFetching.cache.Campaign.hits };
}

/** Waits until caches answer for the campaign. */
export function cached(server: Asked): Promise<void> {
  return until('a cache answers', async () => (await find(server)).hits === 1);
}

/** What a server says of itself. */
export async function readiness(server: Asked): Promise<{ status: string; refused?: string }> {
  return (await (await fetch(`${server.url}/readyz`)).json()) as { status: string; refused?: string };
}

/** Waits until a server uses nothing of what its Redis holds. */
export function refused(server: Asked): Promise<void> {
  return until('it is refused', async () => (await readiness(server)).refused !== undefined);
}

/** Waits until a server is ready. */
export function ready(server: Asked): Promise<void> {
  return until('it is ready', async () => (await readiness(server)).status === 'ready');
}
