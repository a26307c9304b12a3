import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../commands/command.ts';
import { claimDirectory } from './services/claim.ts';
import { ServiceError } from './services/service-error.ts';
import { REPOSITORY, stateDirectory } from './services/state-directory.ts';

const help = `Removes what was built, and the data of \`make demo\` and \`make dev\`.

  make clean

Refuses while one of the two is running. Databases of others (DATABASE_URL) are not touched.
`;

await runCommand({
  help,
  options: {},
  errors: [ServiceError],
  async run() {
    const state = stateDirectory();
    claimDirectory(state);
    for (const directory of [state, join(REPOSITORY, 'dist'), join(REPOSITORY, '.tap')]) {
      rmSync(directory, { recursive: true, force: true });
      console.log(`removed ${directory}`);
    }
  },
});
