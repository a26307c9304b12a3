import type { PgColumn } from 'drizzle-orm/pg-core';
import { sqlType } from '../postgres/sql-type.ts';
import { textForm } from '../postgres/text-form.ts';

/** Types of Postgres without `=`; those besides without `<`; and those besides without an order of btree. */
const NO_EQUALITY = ['json', 'jsonpath', 'xml', 'point', 'polygon'];
const NO_RANGE = [...NO_EQUALITY, 'line', 'xid', 'cid'];
const NO_ORDER = [...NO_RANGE, 'lseg', 'box', 'path', 'circle'];

/** What a list may do with a column that not every type can, and the types that cannot. */
const LACKING: Readonly<Record<string, readonly string[]>> = {
  ...{ order: NO_ORDER, eq: NO_EQUALITY, in: NO_EQUALITY, contains: ['json'] },
  ...{ gt: NO_RANGE, gte: NO_RANGE, lt: NO_RANGE, lte: NO_RANGE },
};

/**
 * Tells whether Postgres would refuse each request of a list.
 *
 * @param use `order`, or the operator of a filter
 * @param column the column that is used so
 * @returns whether its type is known to lack what that takes. Types of one's own are not known
 */
export function lacksOperator(use: string, column: PgColumn): boolean {
  const lacking = LACKING[use];
  if (lacking === undefined) return false;
  const type = sqlType(column).toLowerCase();
  // Arrays are compared by the order of their elements.
  if (type.endsWith('[]')) return NO_ORDER.includes(type.replace(/(\[\])+$/, ''));
  // The types with a known form are scalars, which contain nothing.
  return lacking.includes(type) || (use === 'contains' && textForm(column) !== null);
}
