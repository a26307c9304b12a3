import { readConfig } from '../app/config.ts';
import { migrateDatabase } from '../app/migrate.ts';
import { endOnSignals, expectNoMore, runCommand } from '../commands/command.ts';
import { MigrationError } from '../migrate/index.ts';

const help = `Brings the database up to date.

  npm run db:migrate

Applies every migration of Larder's own and of the folder drizzle/ that the database at DATABASE_URL does not have yet: all of
them, or none when a statement fails. It may be run at any time, and by several processes at once.
`;

endOnSignals();
await runCommand({
  help,
  options: {},
  errors: [MigrationError],
  async run(_values, positionals) {
    expectNoMore(positionals);
    await migrateDatabase(readConfig(process.env).database.url, (line) => process.stdout.write(`${line}\n`));
  },
});
