import { InvalidValue } from './invalid-value.ts';

/** RFC 3339, section 5.6, with at most the six digits of a second that Postgres keeps. */
const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d{1,6})?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads a time that a client sent, and turns it into UTC with all digits. A JavaScript Date would lose microseconds.
 *
 * @param text what the client sent
 * @returns the same time in UTC, as in `2026-01-02T03:04:05.000006Z`
 * @throws {InvalidValue} when it is not a time of the years 1 to 9999 in RFC 3339
 */
export function parseDateTime(text: unknown): string {
  if (typeof text !== 'string') throw notDateTime();
  const [, day, time, fraction = '', sign, hours = '0', minutes = '0'] = RFC_3339.exec(text) ?? [];
  const local = new Date(`${day}T${time}Z`);
  // A date that does not exist, such as February 30th, becomes another one.
  const exists = !Number.isNaN(local.getTime()) && local.toISOString().startsWith(`${day}T${time}`);
  if (!exists || Number(hours) > 23 || Number(minutes) > 59) throw notDateTime();
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  const utc = new Date(local.getTime() - offset).toISOString();
  if (!/^\d{4}-/.test(utc) || utc.startsWith('0000')) throw notDateTime();
  return `${utc.slice(0, 19)}${fraction}Z`;
}

function notDateTime(): InvalidValue {
  return new InvalidValue(
    'Expected a time of the years 0001 to 9999 in RFC 3339 with at most six digits of a second, such as "2026-01-02T03:04:05.000006Z".',
  );
}
