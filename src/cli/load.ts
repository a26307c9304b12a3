import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { RowError } from '../db/bad-row.ts';
import { DatasetError, errorAtRow, readCsvTable } from '../db/csv-dataset.ts';
import { type Dataset, type DatasetTable, datasetTables } from '../db/dataset.ts';
import { loadDataset, NotEmptyError } from '../db/load.ts';
import { runCommand, UsageError } from './command.ts';
import { startProgress } from './progress.ts';

const help = `Loads a data set into the database.

  npm run db:load -- DIR [--replace]

DIR holds four CSV files (RFC 4180, UTF-8), each with its header:

${datasetTables.map((table) => `  ${table.name}.csv: ${Object.keys(table.columns).join(',')}`).join('\n')}

The database at DATABASE_URL must be migrated and empty; --replace removes what is there. All of it happens in one
transaction: a bad row is reported as FILE:LINE:COLUMN, and then nothing has changed.
`;

await runCommand({
  help,
  options: { replace: { type: 'boolean', default: false } },
  errors: [DatasetError, NotEmptyError],
  async run({ replace }, [directory, ...more]) {
    if (directory === undefined) throw new UsageError('Which directory? Name the one that holds the CSV files.');
    if (more.length > 0) throw new UsageError(`Unexpected argument: ${more.join(' ')}`);
    await load(readConfig(process.env).database.url, directory, replace);
  },
});

async function load(url: string, directory: string, replace: boolean): Promise<void> {
  refuseMissingFiles(directory);
  const rows = datasetTables.map((table) => [table.name, readWithProgress(pathOf(directory, table), table)]);
  try {
    const counts = await loadDataset(url, Object.fromEntries(rows) as Dataset, { replace, startProgress });
    const loaded = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    process.stdout.write(`Loaded ${loaded.join(', ')}.\n`);
  } catch (error) {
    throw withNextStep(await withPlace(error, directory));
  }
}

function pathOf(directory: string, table: DatasetTable): string {
  return join(directory, `${table.name}.csv`);
}

function refuseMissingFiles(directory: string): void {
  const missing = datasetTables
    .map((table) => pathOf(directory, table))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() !== true);
  if (missing.length > 0)
    throw new DatasetError(`There is no file ${missing.join(', nor ')}. --help says what it must hold.`);
}

async function* readWithProgress(path: string, table: DatasetTable): AsyncGenerator<string[]> {
  const progress = startProgress(`Reading ${table.name}.csv (bytes)`, statSync(path).size);
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

function withNextStep(error: unknown): unknown {
  if (!(error instanceof DatasetError)) return error;
  return new DatasetError(`${error.message}\nNothing was loaded. Correct the file, then load again.`, { cause: error });
}
