import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RowError } from './bad-row.ts';
import { DatasetError, errorAtRow, readCsvTable } from './csv-dataset.ts';
import { type Dataset, type DatasetTable, datasetTables, type TableName } from './dataset.ts';
import { type LoadOptions, loadDataset } from './load.ts';

/**
 * Loads a directory of CSV files in one transaction.
 *
 * @param url the address of a migrated database
 * @param directory the directory; each file is named for its table
 * @param options whether to replace existing rows, and who shows the progress of reading and of storing
 * @returns how many rows each table got
 * @throws {DatasetError} when a file is missing or a row is wrong; then nothing has changed
 * @throws {NotEmptyError} when there are rows already and they are not to be replaced
 */
export async function loadCsv(
  url: string,
  directory: string,
  options: LoadOptions,
): Promise<Record<TableName, number>> {
  refuseMissingFiles(directory);
  const rows = datasetTables.map((table) => [table.name, readWithProgress(pathOf(directory, table), table, options)]);
  try {
    return await loadDataset(url, Object.fromEntries(rows) as Dataset, options);
  } catch (error) {
    throw await withPlace(error, directory);
  }
}

function pathOf(directory: string, table: DatasetTable): string {
  return join(directory, `${table.name}.csv`);
}

function refuseMissingFiles(directory: string): void {
  const missing = datasetTables
    .map((table) => pathOf(directory, table))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() !== true);
  if (missing.length > 0) throw new DatasetError(`There is no file ${missing.join(', nor ')}.`);
}

async function* readWithProgress(path: string, table: DatasetTable, options: LoadOptions): AsyncGenerator<string[]> {
  const progress = options.startProgress(`Reading ${table.name}.csv (bytes)`, statSync(path).size);
  let note: string | undefined = 'stopped';
  try {
    yield* readCsvTable(path, table, (bytes) => progress.advance(bytes));
    note = undefined;
  } finally {
    progress.finish(note);
  }
}

async function withPlace(error: unknown, directory: string): Promise<unknown> {
  if (!(error instanceof RowError)) return error;
  const table = datasetTables.find((table) => table.name === error.table);
  if (table === undefined) return error;
  return errorAtRow(pathOf(directory, table), table, error.row, error.column, error.message);
}
