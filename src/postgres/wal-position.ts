/**
 * A position in the write-ahead log of a Postgres, as 16 hexadecimal digits. The later of two positions is the greater text. Postgres
 * writes it as `0/16B3748`.
 */
export type WalPosition = string;

/** The bytes of a page of the log, and of the longer of its headers (PostgreSQL source, xlog_internal.h). */
const PAGE = 8192n;
const HEADER = 40n;

/**
 * @param text a position as Postgres writes it, or as this function does
 * @returns the position; `null` when it is none
 */
export function parsePosition(text: string): WalPosition | null {
  if (/^[0-9A-F]{16}$/i.test(text)) return text.toUpperCase();
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? [];
  return high === undefined || low === undefined ? null : (high.padStart(8, '0') + low.padStart(8, '0')).toUpperCase();
}

/**
 * @param position a position; empty for the beginning
 * @returns it as Postgres reads it
 */
export function asLsn(position: WalPosition | ''): string {
  return position === '' ? '0/0' : `${position.slice(0, 8)}/${position.slice(8)}`;
}

/**
 * Finds the end of the last record. The next record may begin after the header of a new page that is not written yet. A replica that has
 * read up to the page has read everything, since no record ends within a header without having begun before the page.
 *
 * @param next where the next record will begin
 * @returns the end of the last record, or a position that cannot be reached without reading that record
 */
export function endOfLog(next: WalPosition): WalPosition {
  const place = BigInt(`0x${next}`);
  const within = place % PAGE;
  return within > HEADER ? next : written(place - within);
}

/**
 * @param position a position
 * @param bytes how many bytes
 * @returns the position so many bytes later
 */
export function later(position: WalPosition, bytes: number): WalPosition {
  return written(BigInt(`0x${position}`) + BigInt(bytes));
}

function written(place: bigint): WalPosition {
  return place.toString(16).padStart(16, '0').toUpperCase();
}
