import { readConfig } from '../app/config.ts';
import { DatasetError } from '../app/data/csv-dataset.ts';
import { datasetTables } from '../app/data/dataset.ts';
import { NotEmptyError } from '../app/data/load.ts';
import { loadCsv } from '../app/data/load-csv.ts';
import { expectNoMore, runCommand, UsageError } from '../commands/command.ts';
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
    expectNoMore(more);
    await load(readConfig(process.env).database.url, directory, replace);
  },
});

async function load(url: string, directory: string, replace: boolean): Promise<void> {
  try {
    const counts = await loadCsv(url, directory, { replace, startProgress });
    const loaded = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    process.stdout.write(`Loaded ${loaded.join(', ')}.\n`);
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    throw new DatasetError(`${error.message}\nNothing was loaded. Correct the file, then load again.`, {
      cause: error,
    });
  }
}
