import { readConfig } from '../app/config.ts';
import { entities } from '../app/entities.ts';
import { expectNoMore, runCommand } from '../commands/command.ts';
import { sayMissing } from '../commands/doctor.ts';
import { DatabaseUnavailable } from '../postgres/errors.ts';
import { storesOf } from './stores-of.ts';

const help = `Says which indexes the lists lack, as SQL that makes them.

  npm run doctor
  node dist/cli/doctor.js

Looks at the database at DATABASE_URL and changes nothing. The exit code is 1 when something is missing.
`;

await runCommand({
  help,
  options: {},
  errors: [DatabaseUnavailable],
  async run(_values, positionals) {
    expectNoMore(positionals);
    const say = (line: string) => process.stdout.write(`${line}\n`);
    if (!(await sayMissing(storesOf(readConfig(process.env)), entities, say))) process.exitCode = 1;
  },
});
