const MAX_ID = 9_223_372_036_854_775_807n;

/**
 * Tells whether text is an id that a row can have: a positive bigint in plain decimal digits. Asked before any SQL,
 * because one bad id would fail the whole batch that it stands in.
 *
 * @param text what a client sent
 * @returns whether Postgres may be asked for it
 */
export function isDatabaseId(text: string): boolean {
  return /^[1-9]\d{0,18}$/.test(text) && (text.length < 19 || BigInt(text) <= MAX_ID);
}
