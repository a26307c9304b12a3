import type { ColumnKind } from './dataset.ts';

const MAX_ID = 9223372036854775807n;
const ID = /^[1-9][0-9]{0,18}$/;
const TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d{1,6})?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/;
const YEAR_1 = new Date('0001-01-01T00:00:00Z').getTime();
const YEAR_10000 = Date.UTC(10_000, 0, 1);
const MINUTE_MS = 60_000;

/**
 * Checks whether Postgres accepts a text for a column of a data set. What passes here never fails in COPY, whose own messages name
 * neither the file nor the line.
 *
 * @param kind what the column holds
 * @param text the value
 * @returns what is wrong with the value, `null` when nothing is
 */
export function problemOf(kind: ColumnKind, text: string): string | null {
  switch (kind) {
    case 'id':
      if (ID.test(text) && BigInt(text) <= MAX_ID) return null;
      return `is not an id: expected a whole number from 1 to ${MAX_ID}`;
    case 'time':
      if (isTime(text)) return null;
      return 'is not a time with its zone, such as 2026-01-31T20:00:00Z or 2026-01-31T20:00:00.123456+01:00';
    case 'text':
      return text.includes('\0') ? 'holds a NUL character, which Postgres cannot store' : null;
  }
}

/**
 * RFC 3339, or the form in which Postgres writes a timestamptz. The year must be one that RFC 3339 can write, and all digits must be kept.
 */
function isTime(text: string): boolean {
  const match = TIME.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [sign, zoneHour = '0', zoneMinute = '0'] = match.slice(7);
  // Postgres has no offset of sixteen hours, and would turn 23:59:60 into the next day.
  if (hour > 23 || minute > 59 || second > 59 || Number(zoneHour) > 15 || Number(zoneMinute) > 59) return false;
  const date = new Date(0);
  // Date.UTC would add 1900 to the years 0 to 99.
  date.setUTCFullYear(year, month - 1, day);
  // 30 February became a day of March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return false;
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const time = date.setUTCHours(hour, minute, second) - zone * MINUTE_MS;
  return time >= YEAR_1 && time < YEAR_10000;
}
