import type { PricedField } from './cost.ts';

/** The field of an operation that should be smaller, because the operation costs too much. */
export interface ExpensiveField {
  /** The response names on the way to it, as in an error's path, without the indexes of lists. */
  readonly path: readonly string[];
  /** The argument that determines its cost. It is `null` for a field that is no list: then less should be selected. */
  readonly argument: string | null;
}

/**
 * Follows the most expensive field, then the most expensive one in it, as long as it makes up at least half.
 *
 * @param fields the selection in the root, priced; at least one field
 * @returns the last list on the way
 */
export function mostExpensiveField(fields: readonly PricedField[]): ExpensiveField {
  const path: PricedField[] = [];
  let level = fields;
  while (level.length > 0) {
    const most = level.reduce((a, b) => (b.cost > a.cost ? b : a));
    if (path.length > 0 && most.cost * 2 < level.reduce((sum, { cost }) => sum + cost, 0)) break;
    path.push(most);
    level = most.inside;
  }
  // Steps after the last list have no page that could be smaller.
  while (path.length > 1 && path.at(-1)?.isSized !== true) path.pop();
  return { path: path.map(({ key }) => key), argument: path.at(-1)?.argument ?? null };
}
