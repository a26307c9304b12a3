import type { RowList } from 'postgres';

/**
 * Takes the rows out of the driver's result. The result stays in memory until the next collection of the whole heap. The reason is that the
 * driver assigns two closures to properties of each query (`this.resolve = x => ...`). V8 allocates these in the old space, and they hold
 * the query with its result. Without the rows, such collections are much rarer.
 *
 * After a statement that failed amid its rows, the driver numbers the next one's rows from where it had stopped. That leaves holes.
 *
 * @param result the driver's result, which is empty afterwards
 * @returns its rows
 */
export function takeRows<Row extends object>(result: RowList<Row[]>): Row[] {
  const rows = result.count === null || result.length === result.count ? [...result] : result.filter(() => true);
  result.length = 0;
  return rows;
}
