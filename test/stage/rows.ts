import type { TransactionSql } from 'postgres';

/** A kind of entity. */
export type EntityName = 'Brand' | 'Campaign' | 'Event';

/** A row that a test writes and reads. */
export interface Row {
  readonly entity: EntityName;
  readonly id: string;
}

/** What to do to a row: give it this text, or delete it. */
export interface Change {
  readonly row: Row;
  readonly delete?: boolean;
  /** The brand of a campaign that is inserted; the one of its number when it is not given. */
  readonly brand?: string;
}

/** Ids that Postgres chooses begin after this one. */
export const LAST_GIVEN_ID = 1000;

/** Brands that are never deleted, since campaigns belong to them: campaign `c` to brand `1 + c % 2`. */
export const HOME_BRANDS = 2;

/** Campaigns that are never deleted, since events belong to them: event `e` to campaign `1 + e % 4`. */
export const HUBS = 4;

/**
 * @param row the row
 * @returns its key in caches and in the history
 */
export function keyOf({ entity, id }: Row): string {
  return `${entity}-${id}`;
}

/**
 * @param entity a kind of entity
 * @returns its table
 */
export function tableOf(entity: EntityName): string {
  return { Brand: 'brands', Campaign: 'campaigns', Event: 'events' }[entity];
}

/** The campaign that an event belongs to. */
export function hubOf(eventId: string): string {
  return String(1 + (Number(eventId) % HUBS));
}

/** The brand that a campaign belongs to. */
export function brandOf(campaignId: string): string {
  return String(1 + (Number(campaignId) % HOME_BRANDS));
}

/**
 * Writes a row that is there. Every text column gets the mark, so that a body put together from two states shows.
 *
 * @param sql a transaction
 * @param row which
 * @param mark what its text columns shall hold
 */
export async function updateRow(sql: TransactionSql, { entity, id }: Row, mark: string): Promise<void> {
  if (entity === 'Brand') await sql`update brands set name = ${mark} where id = ${id}`;
  else if (entity === 'Campaign') await sql`update campaigns set title = ${mark}, body = ${mark} where id = ${id}`;
  else await sql`update events set title = ${mark}, body = ${mark} where id = ${id}`;
}

/**
 * Writes a row that is not there; an event is linked to its campaign.
 *
 * @param sql a transaction
 * @param row which
 * @param mark what its text columns shall hold
 * @param brand the brand of a campaign
 */
export async function insertRow(
  sql: TransactionSql,
  { entity, id }: Row,
  mark: string,
  brand: string = brandOf(id),
): Promise<void> {
  if (entity === 'Brand') await sql`insert into brands (id, name) values (${id}, ${mark})`;
  else if (entity === 'Campaign') {
    await sql`insert into campaigns (id, brand_id, title, body) values (${id}, ${brand}, ${mark}, ${mark})`;
  } else {
    const startsAt = `2026-01-01 00:00:${String(Number(id) % 60).padStart(2, '0')}+00`;
    await sql`insert into events (id, title, body, starts_at) values (${id}, ${mark}, ${mark}, ${startsAt})`;
    await sql`insert into campaign_events (campaign_id, starts_at, event_id) values (${hubOf(id)}, ${startsAt}, ${id})`;
  }
}

/**
 * Deletes a row, and an event's links with it.
 *
 * @param sql a transaction
 * @param row which
 */
export async function deleteRow(sql: TransactionSql, { entity, id }: Row): Promise<void> {
  if (entity === 'Brand') await sql`delete from brands where id = ${id}`;
  else if (entity === 'Campaign') await sql`delete from campaigns where id = ${id}`;
  else await sql`delete from events where id = ${id}`;
}
