import { createInterface } from 'node:readline/promises';
import { CAMPAIGN_MIGRATIONS } from '../../app/migrate.ts';
import { isMigrated } from '../../migrate/migrate.ts';
import { ask } from './ask.ts';
import { ServiceError } from './service-error.ts';

/** The variable that allows the database in DATABASE_URL to be migrated and filled. */
const VARIABLE = 'LARDER_DEMO_WRITE';

/**
 * Checks for permission before a database of the reader's own is migrated or gets sample data. A database that needs neither is not written
 * to.
 *
 * @param url the address of the database
 * @param env the variables of the process
 * @throws {ServiceError} when permission is missing, with what to do
 */
export async function expectMayWrite(url: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (env[VARIABLE] === 'true' || (await isReady(url))) return;
  const what = 'The database in DATABASE_URL would be migrated, and filled with sample data if it is empty.';
  const next = `Nothing was written. To allow it, set ${VARIABLE}=true; without DATABASE_URL a database of its own is started.`;
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw new ServiceError(`${what}\n${next}`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`${what} Go on? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new ServiceError(next);
  } finally {
    terminal.close();
  }
}

/** Whether the database has every migration, and some data. */
async function isReady(url: string): Promise<boolean> {
  if (!(await isMigrated({ postgres: { url }, migrations: CAMPAIGN_MIGRATIONS }))) return false;
  return ask(url, (sql) => sql`select 1 where exists (select from brands)`);
}
