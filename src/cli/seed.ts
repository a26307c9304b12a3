import { readConfig } from '../app/config.ts';
import type { TextRow } from '../app/data/copy.ts';
import { type Dataset, datasetTables } from '../app/data/dataset.ts';
import { loadDataset, NotEmptyError } from '../app/data/load.ts';
import { type SampleSize, sampleCounts, sampleDataset } from '../app/data/sample.ts';
import { expectNoMore, isStarted, parseWholeNumber, runCommand } from '../commands/command.ts';
import { startProgress } from './progress.ts';

const help = `Fills the database with sample data.

  npm run db:seed -- [--campaigns N] [--events M] [--seed S] [--replace]

  --campaigns N  how many campaigns, 500 by default; there is one brand for every 25
  --events M     how many events, 5000 by default; each belongs to one to three campaigns
  --seed S       which data, 1 by default: the same seed and numbers make the same rows on any day

The database at DATABASE_URL must be migrated and empty; --replace removes what is there.
`;

/** What `seedDatabase` needs. */
export interface SeedOptions extends SampleSize {
  readonly url: string;
  /** Whether to remove existing rows; `false` when it is left out. */
  readonly replace?: boolean;
}

/**
 * Fills a database with sample data in one transaction, and shows the progress.
 *
 * @param options the address of a migrated database, and how much data, and which
 * @throws {NotEmptyError} when there are rows already and they are not to be replaced
 */
export async function seedDatabase(options: SeedOptions): Promise<void> {
  const rows = sampleDataset(options);
  const counts = sampleCounts(options);
  const shown = datasetTables.map(({ name }) => [name, withProgress(`Making ${name}`, counts[name], rows[name])]);
  await loadDataset(options.url, Object.fromEntries(shown) as Dataset, {
    replace: options.replace ?? false,
    startProgress,
  });
}

async function* withProgress(
  label: string,
  total: number | null,
  rows: Dataset[keyof Dataset],
): AsyncGenerator<TextRow> {
  const progress = startProgress(label, total);
  let note: string | undefined = 'stopped';
  try {
    for await (const row of rows) {
      yield row;
      progress.advance(1);
    }
    note = undefined;
  } finally {
    progress.finish(note);
  }
}

if (isStarted(import.meta.url)) {
  await runCommand({
    help,
    options: {
      campaigns: { type: 'string', default: '500' },
      events: { type: 'string', default: '5000' },
      seed: { type: 'string', default: '1' },
      replace: { type: 'boolean', default: false },
    },
    errors: [NotEmptyError],
    async run(values, positionals) {
      expectNoMore(positionals);
      await seedDatabase({
        url: readConfig(process.env).database.url,
        campaigns: parseWholeNumber('campaigns', values.campaigns, 1),
        events: parseWholeNumber('events', values.events, 0),
        seed: parseWholeNumber('seed', values.seed, 0),
        replace: values.replace,
      });
    },
  });
}
