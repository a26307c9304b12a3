import type { TransactionSql } from 'postgres';
import { type DatasetTable, datasetTables, type TableName } from './dataset.ts';

/** A row of a data set that does not fit the others. */
export class RowError extends Error {
  override name = 'RowError';
  readonly table: TableName;
  /** The first row of a table is 1. */
  readonly row: number;
  readonly column: string;

  /**
   * @param table the table
   * @param row the row, from 1
   * @param column the column to point at
   * @param message what is wrong
   */
  constructor(table: TableName, row: number, column: string, message: string) {
    super(message);
    this.table = table;
    this.row = row;
    this.column = column;
  }
}

/**
 * Finds out which staged row violates a constraint.
 *
 * @param sql the transaction that holds the staged tables
 * @returns the first row that repeats a key or refers to a missing row, in the order of tables; `null` when there is none
 */
export async function findBadRow(sql: TransactionSql): Promise<RowError | null> {
  for (const table of datasetTables) {
    const repeated = await findRepeated(sql, table);
    if (repeated !== null) return repeated;
    for (const [column, target] of Object.entries(table.references)) {
      const dangling = await findDangling(sql, table, column, target);
      if (dangling !== null) return dangling;
    }
  }
  return null;
}

interface Found {
  readonly row: number;
  readonly value: string;
}

async function findRepeated(sql: TransactionSql, table: DatasetTable): Promise<RowError | null> {
  const key = table.key.join(', ');
  const [found] = await sql.unsafe<Found[]>(`
    select staged_row::int as row, value
    from (
      select staged_row, concat_ws(', ', ${key}) as value, row_number() over (partition by ${key} order by staged_row) as nth
      from staged_${table.name}
    ) rows
    where nth > 1 order by staged_row limit 1`);
  if (found === undefined) return null;
  return new RowError(table.name, found.row, table.key[0] ?? '', `${key} ${found.value} was there before`);
}

async function findDangling(
  sql: TransactionSql,
  table: DatasetTable,
  column: string,
  target: TableName,
): Promise<RowError | null> {
  const [found] = await sql.unsafe<Found[]>(`
    select staged_row::int as row, ${column}::text as value
    from staged_${table.name} r
    where not exists (select from staged_${target} t where t.id = r.${column})
    order by staged_row limit 1`);
  if (found === undefined) return null;
  return new RowError(table.name, found.row, column, `${column} ${found.value} is not in ${target}`);
}
