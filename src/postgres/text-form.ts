import type { PgColumn } from 'drizzle-orm/pg-core';
import { isRfc3339 } from './column-types.ts';
import { sqlType } from './sql-type.ts';

/** Tells whether a text is a value of a type. */
type Form = (text: string) => boolean;

const integer =
  (bits: number): Form =>
  (text) =>
    /^(0|-?[1-9]\d{0,18})$/.test(text) && BigInt.asIntN(bits, BigInt(text)) === BigInt(text);

/** A number that `round` makes infinite is out of range, and so is one other than zero that becomes zero. */
const float =
  (round: (value: number) => number): Form =>
  (text) => {
    if (/^(NaN|-?Infinity)$/.test(text)) return true;
    if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) return false;
    const value = round(Number(text));
    return Number.isFinite(value) && (value !== 0 || /^-?0+(\.0+)?(e|$)/.test(text));
  };

const isText: Form = (text) => !text.includes('\0') && text.isWellFormed();

/** The first day that Postgres has. A year before Christ is a number below 1 (the manual's section 8.5). */
const FIRST = [-4713, 11, 24] as const;

const date = (lastYear: number, rest: RegExp): Form => {
  const pattern = new RegExp(`^(\\d{4,7})-(\\d{2})-(\\d{2})${rest.source}( BC)?$`);
  return (text) => {
    if (text === 'infinity' || text === '-infinity') return true;
    const [, written = '', month, day, ...others] = pattern.exec(text) ?? [];
    if (written === '' || (written.length > 4 && written.startsWith('0')) || Number(written) === 0) return false;
    const year = others.at(-1) === undefined ? Number(written) : 1 - Number(written);
    return (
      isDay(year, Number(month), Number(day)) && year <= lastYear && isAfterFirst(year, Number(month), Number(day))
    );
  };
};

function isDay(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

function isAfterFirst(year: number, month: number, day: number): boolean {
  return year > FIRST[0] || (year === FIRST[0] && (month > FIRST[1] || (month === FIRST[1] && day >= FIRST[2])));
}

const TIME = /([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?/;

/** The last year of a timestamp, and of a date. */
const LAST = { timestamp: 294_276, date: 5_874_897 };

/** The forms in which Postgres writes values, with the settings of Larder's connections (see session-settings.ts). */
const FORMS: Readonly<Record<string, Form>> = {
  smallint: integer(16),
  integer: integer(32),
  int: integer(32),
  bigint: integer(64),
  numeric: (text) => /^(-?\d+(\.\d+)?|NaN|-?Infinity)$/.test(text),
  decimal: (text) => /^(-?\d+(\.\d+)?|NaN|-?Infinity)$/.test(text),
  real: float(Math.fround),
  'double precision': float((value) => value),
  boolean: (text) => text === 'true' || text === 'false',
  text: isText,
  varchar: isText,
  bpchar: isText,
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text),
  date: date(LAST.date, /(?:)/),
  time: (text) => new RegExp(`^(${TIME.source}|24:00:00)$`).test(text),
  timestamp: date(LAST.timestamp, new RegExp(` ${TIME.source}`)),
  'timestamp with time zone': date(LAST.timestamp, new RegExp(` ${TIME.source}\\+00`)),
};

/** In the years 1 to 9999. */
const isRfc3339Time: Form = (text) =>
  /^\d{4}-/.test(text) && text.endsWith('+00') && FORMS['timestamp with time zone']?.(text) === true;

/**
 * Makes a check whether a text is a value of a column as Postgres writes it. It is asked before any SQL, because one bad value would fail
 * its whole batch.
 *
 * @param column the column
 * @returns the check; `null` where only Postgres knows the form of the type's values
 */
export function textForm(column: PgColumn): Form | null {
  return isRfc3339(column) ? isRfc3339Time : (FORMS[sqlType(column)] ?? null);
}

/**
 * @param text what a client sent
 * @returns whether Postgres accepts the text at all, whatever the type
 */
export function isWritable(text: string): boolean {
  return isText(text);
}
