import type { PgColumn } from 'drizzle-orm/pg-core';
import { isDatabaseId } from '../entity/database-id.ts';
import type { Position } from './page.ts';

/** A timestamptz as Postgres writes it in UTC and ISO style, within the years that the schema allows. */
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.\d{1,6})?\+00$/;

/**
 * Tells whether a place, decoded from a stranger's cursor, is one that the list could have named. It is asked before
 * any SQL, because one bad key would fail the whole batch that it stands in.
 *
 * @param column the order's column; `null` when the list is sorted by id alone, `undefined` when it has no such order
 * @param position the place
 * @returns whether Postgres may be asked for what lies beyond it
 */
export function isPosition(column: PgColumn | null | undefined, { key, id }: Position): boolean {
  if (column === undefined || !isDatabaseId(id)) return false;
  if (column === null) return key === null;
  if (key === null) return false;
  return column.getSQLType() === 'bigint' ? isBigint(key) : isTimestamp(key);
}

/** A bigint as Postgres writes it: a sort key may be zero or less, as ids may not. */
function isBigint(text: string): boolean {
  return /^(0|-?[1-9]\d{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function isTimestamp(text: string): boolean {
  const [, day, time] = TIMESTAMP.exec(text) ?? [];
  if (day === undefined || day.startsWith('0000')) return false;
  // A date that the calendar does not have, such as February 30th, comes back as another one.
  const date = new Date(`${day}T${time}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${day}T${time}`);
}
