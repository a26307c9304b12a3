import type { EntityKey } from '../entity/key.ts';
import type { OrderTerm } from '../entity/list-definition.ts';
import { isWritable, textForm } from '../postgres/text-form.ts';
import type { Position, SortKey } from './page-request.ts';

/**
 * Tells whether the list could have named a position that a client's cursor has. It is asked before any SQL, because one bad value would
 * fail its whole batch.
 *
 * @param key the listed entity's key
 * @param order the columns that the list is sorted by before the key; `undefined` when it has no such order
 * @param position the position
 * @returns whether Postgres may be asked for what lies beyond it
 */
export function isPosition(key: EntityKey, order: readonly OrderTerm[] | undefined, position: Position): boolean {
  if (order === undefined || !key.isId(position.id)) return false;
  if (order.length === 0) return position.key === null;
  const values = sortValues(position.key, order.length);
  return values?.every((value, i) => isValue(order[i] as OrderTerm, value)) ?? false;
}

/**
 * @param key the sort values of a position
 * @param columns the expected number of values
 * @returns each value; `null` when there are not so many
 */
export function sortValues(key: SortKey, columns: number): readonly (string | null)[] | null {
  if (columns === 0) return [];
  if (columns === 1) return typeof key === 'object' && key !== null ? null : [key];
  return typeof key === 'object' && key?.length === columns ? key : null;
}

function isValue({ column }: OrderTerm, value: string | null): boolean {
  if (value === null) return !column.notNull;
  return isWritable(value) && (textForm(column)?.(value) ?? true);
}
