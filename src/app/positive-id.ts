const MAX_ID = 9_223_372_036_854_775_807n;

/**
 * The tables' checks allow positive ids only. So another id names nothing, and Postgres need not be asked.
 *
 * @param id what a client sent
 * @returns whether a row can have the id
 */
export function isPositiveId(id: string): boolean {
  return /^[1-9]\d{0,18}$/.test(id) && (id.length < 19 || BigInt(id) <= MAX_ID);
}
