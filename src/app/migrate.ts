import { fileURLToPath } from 'node:url';
import { migrate } from '../migrate/index.ts';

/** The migrations of the campaigns' tables. `src/app` and `dist/app` lie equally deep, so the path holds in the source and in the build. */
export const CAMPAIGN_MIGRATIONS = fileURLToPath(new URL('../../drizzle', import.meta.url));

/**
 * Brings a database of the campaigns server up to date: Larder's outbox, and the campaigns' tables.
 *
 * @param url the address of the database
 * @param log receives one line for each migration applied, and one when there is nothing to do
 * @throws {MigrationError} as `migrate` does
 */
export function migrateDatabase(url: string, log: (line: string) => void = () => {}): Promise<void> {
  return migrate({ postgres: { url }, migrations: CAMPAIGN_MIGRATIONS, log });
}
