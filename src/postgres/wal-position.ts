/**
 * A place in the write-ahead log of a Postgres, as 16 hexadecimal digits: of two places the later is the greater text. Postgres writes
 * the same as `0/16B3748`.
 */
export type WalPosition = string;

/** Bytes of a page of the log, and of the longer of its headers (PostgreSQL source, xlog_internal.h). */
const PAGE = 8192n;
const HEADER = 40n;

/**
 * @param text a place as Postgres writes it, or as this function does
 * @returns the place; `null` for what is none
 */
export function parsePosition(text: string): WalPosition | null {
  if (/^[0-9A-F]{16}$/i.test(text)) return text.toUpperCase();
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? [];
  return high === undefined || low === undefined ? null : (high.padStart(8, '0') + low.padStart(8, '0')).toUpperCase();
}

/**
 * Where the log is written next is past the header of a page, of which nothing may be written for long: whoever has read up to the page
 * has read all. No record ends within a header without having begun before the page.
 *
 * @param next where the next record will begin
 * @returns the end of the last record, or a place that nobody reaches without having read that
 */
export function endOfLog(next: WalPosition): WalPosition {
  const place = BigInt(`0x${next}`);
  const within = place % PAGE;
  return within > HEADER ? next : written(place - within);
}

/**
 * @param position a place
 * @param bytes how many bytes
 * @returns the place so many bytes later
 */
export function later(position: WalPosition, bytes: number): WalPosition {
  return written(BigInt(`0x${position}`) + BigInt(bytes));
}

function written(place: bigint): WalPosition {
  return place.toString(16).padStart(16, '0').toUpperCase();
}
