import postgres, { type TransactionSql } from 'postgres';
import { connectPostgres } from '../../index.ts';
import { findBadRow } from './bad-row.ts';
import { copyRows, type TextRows } from './copy.ts';
import { type Dataset, type DatasetTable, datasetTables, type TableName } from './dataset.ts';

/** How many pages of a staged table one statement stores. It is large enough to be fast, and small enough to show progress. */
const PAGES_AT_ONCE = 256;

const SQL_TYPES = { id: 'bigint', text: 'text', time: 'timestamptz' };

/** The tables hold rows already. */
export class NotEmptyError extends Error {
  override name = 'NotEmptyError';
  readonly tables: readonly string[];

  /** @param tables the names of the tables that hold rows */
  constructor(tables: readonly string[]) {
    super(
      `The database holds data already (in ${tables.join(', ')}). Nothing was changed; to replace it, add --replace.`,
    );
    this.tables = tables;
  }
}

/** How a load is done. */
export interface LoadOptions {
  /** Whether to remove existing rows, in the same transaction. Otherwise existing rows are an error. */
  readonly replace: boolean;
  /**
   * Called before a table is read or stored.
   *
   * @param label what is being done
   * @param total how many bytes or rows there are
   * @returns told of the bytes or rows done
   */
  startProgress(label: string, total: number): { advance(n: number): void; finish(note?: string): void };
}

/**
 * Fills the tables of a data set in one transaction: afterwards they hold either all new rows, or what was there before.
 *
 * The rows first go into temporary tables without constraints, by COPY, and from there into the real ones. So the real tables are not
 * locked while the rows are read. An ordinary statement then reports what is wrong with a row, and the row can still be found.
 *
 * @param url the address of a migrated database
 * @param dataset the rows
 * @param options whether to replace existing rows, and who shows the progress
 * @returns how many rows each table got
 * @throws {NotEmptyError} when there are rows already and `replace` is false
 * @throws {RowError} when a row repeats a key or refers to a missing row
 */
export async function loadDataset(
  url: string,
  dataset: Dataset,
  options: LoadOptions,
): Promise<Record<TableName, number>> {
  const database = connectPostgres(url);
  try {
    const counts = await database.client.begin(async (sql) => {
      // An early check, so that existing rows are reported before everything was read.
      if (!options.replace) await refuseUnlessEmpty(sql);
      const counts = { brands: 0, campaigns: 0, events: 0, campaign_events: 0 };
      for (const table of datasetTables) counts[table.name] = await stage(sql, table, dataset[table.name]);
      await storeAll(sql, counts, options);
      return counts;
    });
    // Without statistics the first queries get bad plans, until autovacuum has run.
    await database.client.unsafe(`vacuum (analyze) ${everyTable}`);
    return counts;
  } finally {
    await database.close();
  }
}

const everyTable = datasetTables.map((table) => table.name).join(', ');

async function refuseUnlessEmpty(sql: TransactionSql): Promise<void> {
  const filled: string[] = [];
  for (const { name } of datasetTables) {
    const rows = await sql`select from ${sql(name)} limit 1`;
    if (rows.length > 0) filled.push(name);
  }
  if (filled.length > 0) throw new NotEmptyError(filled);
}

async function stage(sql: TransactionSql, table: DatasetTable, rows: TextRows): Promise<number> {
  const columns = Object.entries(table.columns).map(([name, kind]) => `${name} ${SQL_TYPES[kind]}`);
  // `staged_row` counts from 1 in the order of the source, so that a bad row can be named.
  await sql.unsafe(`
    create temporary table staged_${table.name} (
      staged_row bigint generated always as identity, ${columns.join(', ')}
    ) on commit drop`);
  const names = Object.keys(table.columns).join(', ');
  return copyRows(sql, `staged_${table.name} (${names})`, rows);
}

async function storeAll(
  sql: TransactionSql,
  counts: Readonly<Record<TableName, number>>,
  options: LoadOptions,
): Promise<void> {
  try {
    await sql.savepoint(async (sql) => {
      if (options.replace) {
        await sql.unsafe(`truncate ${everyTable}`);
      } else {
        // The lock keeps others from adding rows until the end. It does not stop readers.
        await sql.unsafe(`lock table ${everyTable} in share row exclusive mode`);
        await refuseUnlessEmpty(sql);
      }
      for (const table of datasetTables) await store(sql, table, counts[table.name], options);
    });
  } catch (error) {
    // Class 23 means that a constraint was violated. Only then is the row looked for.
    if (!(error instanceof postgres.PostgresError) || !error.code.startsWith('23')) throw error;
    throw (await findBadRow(sql)) ?? error;
  }
}

async function store(sql: TransactionSql, table: DatasetTable, total: number, options: LoadOptions): Promise<void> {
  const progress = options.startProgress(`Storing ${table.name}`, total);
  const names = [...Object.keys(table.columns), ...Object.keys(table.derived)].join(', ');
  const values = [...Object.keys(table.columns).map((name) => `r.${name}`), ...Object.values(table.derived)].join(', ');
  try {
    // Page by page, since a scan of a range of pages needs no index.
    const pages = await countPages(sql, `staged_${table.name}`);
    for (let page = 0; page < pages; page += PAGES_AT_ONCE) {
      const { count } = await sql.unsafe(
        `insert into ${table.name} (${names}) select ${values} from staged_${table.name} r
         where r.ctid >= '(${page},0)' and r.ctid < '(${page + PAGES_AT_ONCE},0)'`,
      );
      progress.advance(count);
    }
    if (table.identity) await setSequence(sql, table.name);
  } catch (error) {
    progress.finish('stopped');
    throw error;
  }
  progress.finish();
}

async function countPages(sql: TransactionSql, name: string): Promise<number> {
  const [row] = await sql<[{ pages: number }]>`
    select (pg_relation_size(${name}::regclass) / current_setting('block_size')::int)::int as pages`;
  return row.pages;
}

/** Sets the sequence, so that the next row gets the id after the highest. */
async function setSequence(sql: TransactionSql, name: TableName): Promise<void> {
  await sql`
    select setval(pg_get_serial_sequence(${name}, 'id'), coalesce(max(id), 1), max(id) is not null) from ${sql(name)}`;
}
